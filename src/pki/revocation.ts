import type { X509Crl } from '@peculiar/x509';
import type { Certificate } from './certificate.ts';
import { isCrlSignedBy, openCrl } from './crl.ts';
import { distinguishedName, isSameName } from './names.ts';
import { loadX509 } from './x509.ts';

/** A revocation list, opened: to read one of some thousand entries takes as long as to judge a hundred chains by it. */
export interface RevocationList {
  readonly issuer: string;
  readonly crl: X509Crl;
}

/** Opens lists, one PEM each. @throws GatewayError crl_unreadable */
export function openLists(crls: readonly string[]): Promise<readonly RevocationList[]> {
  return Promise.all(
    crls.map(async (pem) => {
      const crl = await openCrl(pem);
      return { issuer: distinguishedName(crl.issuerName), crl };
    }),
  );
}

/**
 * Those of `certificates` that a list of their issuer names, whatever the reason and also after its nextUpdate. A list
 * of an issuer that is among `certificates` has to carry its signature, since a later authority of the same name may
 * have given the same serial number again; one of an issuer not seen here is believed as it stands.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6.3
 */
export async function revokedOf(
  certificates: readonly Certificate[],
  lists: readonly RevocationList[],
): Promise<ReadonlySet<Certificate>> {
  const revoked = new Set<Certificate>();
  for (const { issuer, crl } of lists) {
    const named = certificates.filter(
      ({ facts }) => isSameName(facts.issuer, issuer) && crl.findRevoked(facts.serialNumber) !== null,
    );
    if (named.length === 0 || !(await isByIssuer(crl, issuer, certificates))) continue;
    for (const certificate of named) revoked.add(certificate);
  }
  return revoked;
}

/**
 * Authorities among `certificates` that a list speaks for: it is current, carries their signature and leaves nothing
 * out. One with a critical extension speaks of some certificates only, or of changes since another list.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5.2
 */
export async function listingAuthorities(
  certificates: readonly Certificate[],
  lists: readonly RevocationList[],
  nowMs: number,
): Promise<ReadonlySet<Certificate>> {
  const listing = new Set<Certificate>();
  for (const { issuer, crl } of lists) {
    if (!isCurrent(crl, nowMs) || crl.extensions.some(({ critical }) => critical)) continue;
    for (const authority of namedAuthorities(issuer, certificates))
      if (await isSignedByAuthority(crl, authority)) listing.add(authority);
  }
  return listing;
}

function isCurrent({ thisUpdate, nextUpdate }: X509Crl, nowMs: number): boolean {
  return nowMs >= thisUpdate.getTime() && (nextUpdate === undefined || nowMs <= nextUpdate.getTime());
}

async function isByIssuer(crl: X509Crl, issuer: string, certificates: readonly Certificate[]): Promise<boolean> {
  const authorities = namedAuthorities(issuer, certificates);
  if (authorities.length === 0) return true;
  for (const authority of authorities) if (await isSignedByAuthority(crl, authority)) return true;
  return false;
}

function namedAuthorities(name: string, certificates: readonly Certificate[]): readonly Certificate[] {
  return certificates.filter(({ facts }) => facts.isCa && isSameName(facts.subject, name));
}

async function isSignedByAuthority(crl: X509Crl, { publicKey }: Certificate): Promise<boolean> {
  const { PublicKey } = await loadX509();
  return isCrlSignedBy(crl, new PublicKey(new Uint8Array(publicKey)));
}
