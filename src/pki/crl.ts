import type { PublicKey, X509Crl } from '@peculiar/x509';
import { toHex } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import type { Certificate } from './certificate.ts';
import { readOneDer } from './der.ts';
import { distinguishedName, isSameName } from './names.ts';
import { derOfPem, splitPem } from './pem.ts';
import { loadX509 } from './x509.ts';

/** What people and reports need of a certificate revocation list. */
export interface CrlFacts {
  /** RFC 4514 distinguished name. */
  readonly issuer: string;
  /** ISO 8601. */
  readonly thisUpdate: string;
  /** ISO 8601; undefined when the issuer announces no next list. */
  readonly nextUpdate: string | undefined;
  readonly revokedCount: number;
}

/**
 * All revocation lists of a PEM text, one PEM each: runtimes read only the first list of a text.
 *
 * @throws GatewayError crl_unreadable when there is none, something else is among them, or one cannot be read.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5
 */
export async function parseCrls(pem: string): Promise<readonly string[]> {
  const blocks = splitPem(pem, 'crl_unreadable');
  const other = blocks.find(({ label }) => label !== 'X509 CRL');
  if (blocks.length === 0 || other)
    throw new GatewayError('crl_unreadable', `expected X509 CRL blocks, met ${other?.label ?? 'no PEM block at all'}`, {
      hint: 'give the list in PEM form; a DER file (.crl) has to be converted first',
    });
  for (const block of blocks) await crlFacts(block.pem);
  return blocks.map((block) => block.pem);
}

/** The facts of one list. @throws GatewayError crl_unreadable when it is none. */
export async function crlFacts(pem: string): Promise<CrlFacts> {
  const crl = await openCrl(pem);
  return Object.freeze({
    issuer: distinguishedName(crl.issuerName),
    thisUpdate: crl.thisUpdate.toISOString(),
    nextUpdate: crl.nextUpdate?.toISOString(),
    revokedCount: crl.entries.length,
  });
}

/**
 * Refuses a list that claims to come from one of these authorities and does not carry its signature. Lists of other
 * issuers pass: the authority may be an intermediate that only the handshake shows.
 *
 * @throws GatewayError crl_unreadable.
 */
export async function checkCrlIssuer(pem: string, authorities: readonly Certificate[]): Promise<void> {
  if ((await isCrlOf(pem, authorities)) !== 'forged') return;
  const { issuer } = await crlFacts(pem);
  throw new GatewayError('crl_unreadable', `the revocation list of ${issuer} is not signed by the CA of that name`, {
    hint: 'take the list and the CA certificate from the same authority',
    details: { issuer },
  });
}

/** Whether one of these authorities signed a list, somebody else did in the name of one, or it is of none of them. */
export async function isCrlOf(
  pem: string,
  authorities: readonly Certificate[],
): Promise<'signed' | 'forged' | 'foreign'> {
  const { PublicKey } = await loadX509();
  const crl = await openCrl(pem);
  const issuer = distinguishedName(crl.issuerName);
  const named = authorities.filter(({ facts }) => isSameName(facts.subject, issuer));
  for (const { publicKey } of named)
    if (await isCrlSignedBy(crl, new PublicKey(new Uint8Array(publicKey)))) return 'signed';
  return named.length > 0 ? 'forged' : 'foreign';
}

/**
 * The number of a list, which grows with each; undefined where it has none.
 *
 * @throws GatewayError crl_unreadable
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3
 */
export async function crlNumber(pem: string): Promise<bigint | undefined> {
  const extension = (await openCrl(pem)).extensions.find(({ type }) => type === CRL_NUMBER);
  if (extension === undefined) return undefined;
  const digits = toHex(new Uint8Array(extension.value).subarray(2, 2 + MAX_NUMBER_BYTES));
  return digits === '' ? undefined : BigInt(`0x${digits}`);
}

const CRL_NUMBER = '2.5.29.20';
const MAX_NUMBER_BYTES = 20;

/** Whether this key signed a list; a signature of a kind WebCrypto does not know counts as not verified. */
export async function isCrlSignedBy(crl: X509Crl, publicKey: PublicKey): Promise<boolean> {
  try {
    return await crl.verify({ publicKey });
  } catch {
    return false;
  }
}

/** One list, parsed. @throws GatewayError crl_unreadable when it is none. */
export async function openCrl(pem: string): Promise<X509Crl> {
  const { X509Crl } = await loadX509();
  try {
    const der = derOfPem(pem);
    readOneDer(der);
    return new X509Crl(der);
  } catch {
    throw new GatewayError('crl_unreadable', 'a block is PEM, but what it holds is not a certificate revocation list', {
      hint: 'take the list from its issuer again',
    });
  }
}
