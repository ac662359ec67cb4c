import type { Certificate } from './certificate.ts';
import { isSameName } from './names.ts';
import { listingAuthorities, revokedOf, type RevocationList } from './revocation.ts';
import { isSignedBy } from './signature.ts';

/** What a presented chain is held to. */
export interface ChainRules {
  /** Trusted as they stand, intermediates too. */
  readonly anchors: readonly Certificate[];
  /** Whether the chain may also end where nothing of what was presented leads further: somebody else vouches there. */
  readonly openEnd: boolean;
  /** Whoever they name is revoked, authorities of the chain included. */
  readonly crls: readonly RevocationList[];
  /** Whether everybody below an anchor needs a current list of his issuer; a list that is missing vouches for nobody then. */
  readonly needsLists?: boolean;
  readonly nowMs: number;
}

/**
 * What a peer shows is its own choice: a hundred authorities of one name and key have ten thousand signatures among
 * them, which take ten seconds.
 */
const MAX_SIGNATURES = 256;

/** Whether a chain holds, or what stands in the way of its best path. */
export type ChainVerdict = 'valid' | 'revoked' | 'unlisted' | 'expired' | 'untrusted';

/**
 * Judges a chain as a peer presented it, leaf first, the rest in any order and with more than one way up: one valid
 * path is enough, as for authorities that are cross-signed. Checks signatures, names, dates, CA flags and revocation.
 * Leaves out what only narrows what a CA may issue (path length, name constraints, purposes) and host names: for
 * chains a runtime's own verification has accepted before.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6
 */
export async function verifyChain(presented: readonly Certificate[], rules: ChainRules): Promise<ChainVerdict> {
  const [leaf] = presented;
  if (leaf === undefined) return 'untrusted';
  const known = distinct([...presented, ...rules.anchors]);
  const issuers = await issuersAbove(leaf, known);
  if (issuers === undefined) return 'untrusted';
  const anchors = new Set(rules.anchors.map(idOf));
  const revoked = new Set([...(await revokedOf([...known.values()], rules.crls))].map(idOf));
  const listing = new Set(
    rules.needsLists ? [...(await listingAuthorities([...known.values()], rules.crls, rules.nowMs))].map(idOf) : [],
  );
  const current = new Set([...known.values()].filter((one) => isCurrent(one, rules.nowMs)).map(idOf));

  const leadsUp = (mayPass: (id: string) => boolean): boolean => {
    const reached = new Set([idOf(leaf)].filter(mayPass));
    // a set hands out what is added while it is walked
    for (const id of reached) {
      const above = issuers.get(id) ?? [];
      if (anchors.has(id) || (rules.openEnd && above.length === 0)) return true;
      for (const issuer of above.filter(mayPass)) reached.add(issuer);
    }
    return false;
  };
  const isGood = (id: string): boolean => current.has(id) && !revoked.has(id);
  // by whoever signed it, not by whoever has the same name
  const isListed = (id: string): boolean => {
    if (!rules.needsLists || anchors.has(id)) return true;
    const above = issuers.get(id) ?? [];
    return above.length > 0 ? above.some((issuer) => listing.has(issuer)) : isRoot(known.get(id)) && listing.has(id);
  };
  if (leadsUp((id) => isGood(id) && isListed(id))) return 'valid';
  if (leadsUp(isGood)) return 'unlisted';
  if (leadsUp((id) => current.has(id))) return 'revoked';
  return leadsUp(() => true) ? 'expired' : 'untrusted';
}

/**
 * Those of `anchors` a chain may have led to, going by names alone: a verification that succeeded with these anchors,
 * by whatever kind of signature, ended at one of them.
 */
export function namedAnchors(
  presented: readonly Certificate[],
  anchors: readonly Certificate[],
): readonly Certificate[] {
  const known = distinct([...presented, ...anchors]);
  const reached = new Set(presented.slice(0, 1));
  for (const one of reached) for (const issuer of namedIssuers(one, known)) reached.add(issuer);
  const ids = new Set([...reached].map(idOf));
  return anchors.filter((anchor) => ids.has(idOf(anchor)));
}

/** An authority above a certificate. */
export interface AnchorAbove {
  readonly anchor: Certificate;
  /** How many certificates stand between both, on the shortest way. */
  readonly intermediates: number;
}

/**
 * Those of `anchors` that vouch for the leaf of a chain by signatures, the nearest first; none where finding out would
 * take too long. What the chain holds beside its path adds ways, and hides none. Looks at no dates.
 */
export async function anchorsAbove(
  presented: readonly Certificate[],
  anchors: readonly Certificate[],
): Promise<readonly AnchorAbove[]> {
  const [leaf] = presented;
  if (leaf === undefined) return [];
  const issuers = await issuersAbove(leaf, distinct([...presented, ...anchors]));
  const steps = new Map([[idOf(leaf), 0]]);
  // a map hands out what is added while it is walked
  for (const [id, step] of steps)
    for (const issuer of issuers?.get(id) ?? []) if (!steps.has(issuer)) steps.set(issuer, step + 1);
  return anchors
    .map((anchor) => ({ anchor, intermediates: (steps.get(idOf(anchor)) ?? 0) - 1 }))
    .filter(({ intermediates }) => intermediates >= 0)
    .toSorted((one, other) => one.intermediates - other.intermediates);
}

/** Who signed whom, from the leaf upwards, by id; undefined where finding out would take too long. */
async function issuersAbove(
  leaf: Certificate,
  known: ReadonlyMap<string, Certificate>,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const issuers = new Map<string, readonly string[]>();
  const waiting = [leaf];
  let signatures = 0;
  for (const certificate of waiting) {
    const named = namedIssuers(certificate, known);
    signatures += named.length;
    if (signatures > MAX_SIGNATURES) return undefined;
    const signed = await Promise.all(named.map((issuer) => isSignedBy(certificate, issuer)));
    const above = named.filter((_, index) => signed[index]);
    issuers.set(idOf(certificate), above.map(idOf));
    waiting.push(...above.filter((issuer) => !waiting.includes(issuer)));
  }
  return issuers;
}

function namedIssuers(certificate: Certificate, known: ReadonlyMap<string, Certificate>): readonly Certificate[] {
  return [...known.values()].filter(
    (other) =>
      idOf(other) !== idOf(certificate) &&
      other.facts.isCa &&
      isSameName(certificate.facts.issuer, other.facts.subject),
  );
}

function distinct(certificates: readonly Certificate[]): ReadonlyMap<string, Certificate> {
  const byId = new Map<string, Certificate>();
  // the object met first stays, so that walks over presented ones and over known ones meet the same
  for (const certificate of certificates) if (!byId.has(idOf(certificate))) byId.set(idOf(certificate), certificate);
  return byId;
}

function idOf({ facts }: Certificate): string {
  return facts.sha256;
}

function isRoot(certificate: Certificate | undefined): boolean {
  return certificate !== undefined && isSameName(certificate.facts.issuer, certificate.facts.subject);
}

function isCurrent({ facts }: Certificate, nowMs: number): boolean {
  return nowMs >= Date.parse(facts.notBefore) && nowMs <= Date.parse(facts.notAfter);
}
