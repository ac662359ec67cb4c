import { fromUtf8 } from '../../base/bytes.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { crlFacts, crlNumber, isCrlOf, parseCrls } from '../../pki/crl.ts';
import { toPem } from '../../pki/pem.ts';

/** A revocation list, read. */
export interface FetchedList {
  readonly pem: string;
  readonly issuer: string;
  readonly thisUpdateMs: number;
  /** Undefined where the issuer announces no next list. */
  readonly nextUpdateMs: number | undefined;
  readonly number: bigint | undefined;
}

const SEQUENCE = 0x30;

/** One list as a server sends it, DER as RFC 5280 has it or PEM. @throws GatewayError crl_unreadable */
export async function readFetched(bytes: Uint8Array): Promise<FetchedList> {
  return readList(bytes[0] === SEQUENCE ? toPem('X509 CRL', bytes) : fromUtf8(bytes));
}

/** One list as PEM. @throws GatewayError crl_unreadable */
export async function readList(text: string): Promise<FetchedList> {
  const [pem, ...more] = await parseCrls(text);
  if (pem === undefined || more.length > 0)
    throw new GatewayError('crl_unreadable', `expected one revocation list, met ${more.length + 1}`);
  const { issuer, thisUpdate, nextUpdate } = await crlFacts(pem);
  const nextUpdateMs = nextUpdate === undefined ? undefined : Date.parse(nextUpdate);
  return { pem, issuer, thisUpdateMs: Date.parse(thisUpdate), nextUpdateMs, number: await crlNumber(pem) };
}

/** @throws GatewayError crl_missing, crl_unreadable when none of these authorities signed it */
export async function requireSigned({ pem, issuer }: FetchedList, authorities: readonly Certificate[]): Promise<void> {
  switch (await isCrlOf(pem, authorities)) {
    case 'signed':
      return;
    case 'forged':
      throw new GatewayError('crl_unreadable', `the revocation list of ${issuer} is not signed by the CA of that name`);
    case 'foreign':
      throw new GatewayError('crl_missing', `the revocation list is of ${issuer}, which is none of the authorities`, {
        hint: 'a list by URL is believed when its issuer is among the trusted certificates: add it, or correct the URL',
      });
  }
}

/** Whether a list was made before another of the same issuer: a replayed one, in either of the two ways to tell. */
export function isOlder(one: FetchedList, other: FetchedList): boolean {
  if (one.thisUpdateMs < other.thisUpdateMs) return true;
  return one.number !== undefined && other.number !== undefined && one.number < other.number;
}
