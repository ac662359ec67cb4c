import { GatewayError } from '../base/errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import { checkAnchor } from '../pki/checks.ts';
import { checkCrlIssuer, crlFacts, parseCrls } from '../pki/crl.ts';
import { isSameName } from '../pki/names.ts';
import { parseCertificates } from '../pki/parse.ts';
import { isSignedBy } from '../pki/signature.ts';

/** The authorities callers' certificates may lead to. */
export interface CallerAnchors {
  readonly anchors: readonly Certificate[];
  /** The first of them whose own issuer is not among them: an intermediate, trusted as it stands. */
  readonly unrooted: Certificate | undefined;
}

/** Revocation lists for callers' certificates. */
export interface CallerCrls {
  /** One PEM each. */
  readonly crls: readonly string[];
  /** When the first of them has to be replaced, ISO 8601; undefined when none announces it. */
  readonly nextUpdate: string | undefined;
}

/** What callers' certificates are held to also where others verified them; replaced whole when it changes. */
export interface CallerRules extends Pick<CallerAnchors, 'anchors'> {
  /** SHA-256 of the SubjectPublicKeyInfo of callers, base64; none means any key. */
  readonly pins: readonly string[];
}

/**
 * Whom callers' certificates are checked against.
 *
 * @throws GatewayError ca_unreadable, ca_not_a_ca, ca_expired, certificate_not_yet_valid
 */
export async function openCallerAnchors(pem: string, nowMs: number): Promise<CallerAnchors> {
  const anchors = await parseCertificates(pem, 'ca_unreadable');
  for (const anchor of anchors) {
    refuseLeaf(anchor);
    checkAnchor(anchor, nowMs);
  }
  return { anchors, unrooted: await findUnrooted(anchors) };
}

/**
 * Revocation lists, each checked: with a list that is missing, forged or out of date TLS libraries let no caller of that
 * authority in at all, and do not say why.
 *
 * @param failure open takes lists that are out of date for what they say, and does without those that are missing
 * @throws GatewayError crl_unreadable, crl_missing, crl_not_current, capability_unsupported
 */
export async function openCallerCrls(
  pem: string,
  trust: CallerAnchors,
  nowMs: number,
  failure: 'closed' | 'open' = 'closed',
): Promise<CallerCrls> {
  const { anchors, unrooted } = trust;
  if (unrooted)
    throw new GatewayError(
      'capability_unsupported',
      `revocation lists need whole chains, and the issuer of ${unrooted.facts.subject}, ${unrooted.facts.issuer}, is not among the client CAs`,
      { hint: 'add the certificate of that issuer to CA_CERTS, up to the root' },
    );
  const crls = failure === 'open' && pem.trim() === '' ? [] : await parseCrls(pem);
  const facts = await Promise.all(crls.map(crlFacts));
  for (const crl of crls) await checkCrlIssuer(crl, anchors);
  for (const { issuer, thisUpdate, nextUpdate } of facts) {
    if (!anchors.some((anchor) => isSameName(anchor.facts.subject, issuer)))
      throw missing(`the revocation list of ${issuer} is of none of the client CAs`, 'add its certificate to CA_CERTS');
    if (failure === 'closed') refuseOutdated(issuer, thisUpdate, nextUpdate, nowMs);
  }
  for (const { facts: anchor } of anchors)
    if (failure === 'closed' && !facts.some(({ issuer }) => isSameName(issuer, anchor.subject)))
      throw missing(`there is no revocation list of the client CA ${anchor.subject}`, 'give one of every client CA');
  const updates = facts.flatMap(({ nextUpdate }) => nextUpdate ?? []);
  return { crls, nextUpdate: updates.toSorted()[0] };
}

function refuseLeaf({ facts }: Certificate): void {
  if (facts.isCa) return;
  throw new GatewayError('ca_not_a_ca', `${facts.subject}, given as a client CA, is not a CA`, {
    hint: "give the certificate of the authority that issues callers' certificates",
    details: { subject: facts.subject, issuer: facts.issuer },
  });
}

async function findUnrooted(anchors: readonly Certificate[]): Promise<Certificate | undefined> {
  for (const anchor of anchors) {
    const { subject, issuer } = anchor.facts;
    if (isSameName(subject, issuer)) continue;
    const named = anchors.filter((other) => isSameName(other.facts.subject, issuer));
    const signed = await Promise.all(named.map((other) => isSignedBy(anchor, other)));
    if (!signed.includes(true)) return anchor;
  }
  return undefined;
}

function refuseOutdated(issuer: string, thisUpdate: string, nextUpdate: string | undefined, nowMs: number): void {
  const isEarly = nowMs < Date.parse(thisUpdate);
  if (!isEarly && (nextUpdate === undefined || nowMs <= Date.parse(nextUpdate))) return;
  const when = isEarly ? `is in force from ${thisUpdate}` : `was to be replaced by ${nextUpdate}`;
  throw new GatewayError(
    'crl_not_current',
    `the revocation list of ${issuer} ${when}, now is ${new Date(nowMs).toISOString()}`,
    { hint: 'take the current list from its issuer', details: { issuer, thisUpdate, nextUpdate } },
  );
}

const missing = (message: string, hint: string): GatewayError => new GatewayError('crl_missing', message, { hint });
