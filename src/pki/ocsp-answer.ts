import { equalBytes } from '../base/bytes.ts';
import type { Certificate } from './certificate.ts';
import { fieldsOf, keyBitsOf } from './certificate-fields.ts';
import { certificateIdOf, digest } from './ocsp-request.ts';
import { readOcspResponse, type OcspResponse, type SingleResponse } from './ocsp-response.ts';
import { parseDerCertificate } from './parse.ts';
import { isSignedBy } from './signature.ts';
import { areSignedBy } from './signed-bytes.ts';

/** What the authority of a certificate says of it. */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdateMs: number;
  /** When another answer has to be had. */
  readonly nextUpdateMs: number;
}

/** How far the clock of a responder may be from ours. */
export const OCSP_SKEW_MS = 300_000;
/** An answer without an end of its own says that there is always a newer one. */
const ENDLESS_MS = 300_000;
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const HASHES = { '1.3.14.3.2.26': 'SHA-1', '2.16.840.1.101.3.4.2.1': 'SHA-256' } as const;

/**
 * What a response says of `certificate`, once it is found to come from `issuer` or from a responder `issuer` named by a
 * certificate, to be about this certificate, and to be current. Whether the certificate of such a responder was itself
 * revoked is not asked.
 *
 * @param issuer signed `certificate`; that is taken for granted
 * @throws RangeError that says why the response is of no use
 * @see https://www.rfc-editor.org/rfc/rfc6960#section-3.2
 */
export async function ocspAnswer(
  der: Uint8Array,
  certificate: Certificate,
  issuer: Certificate,
  nowMs: number,
): Promise<OcspAnswer> {
  const response = readOcspResponse(new Uint8Array(der));
  const about = await responseAbout(certificate, issuer, response.responses);
  if (about === undefined) throw new RangeError('the response is about another certificate');
  const { status, thisUpdateMs } = about;
  const nextUpdateMs = about.nextUpdateMs ?? thisUpdateMs + ENDLESS_MS;
  if (thisUpdateMs > nowMs + OCSP_SKEW_MS) throw new RangeError('the response is of a time to come');
  if (nextUpdateMs < nowMs - OCSP_SKEW_MS) throw new RangeError('the response was to be replaced by now');
  if (!(await isAuthentic(response, issuer, nowMs)))
    throw new RangeError('the response is not signed by the authority');
  return { status, thisUpdateMs, nextUpdateMs };
}

async function responseAbout(
  certificate: Certificate,
  issuer: Certificate,
  responses: readonly SingleResponse[],
): Promise<SingleResponse | undefined> {
  for (const response of responses) {
    const hash = HASHES[response.hash as keyof typeof HASHES];
    if (hash === undefined) continue;
    const id = await certificateIdOf(certificate, issuer, hash);
    const names = ['serialNumber', 'nameHash', 'keyHash'] as const;
    if (names.every((name) => equalBytes(id[name], response[name]))) return response;
  }
  return undefined;
}

async function isAuthentic(response: OcspResponse, issuer: Certificate, nowMs: number): Promise<boolean> {
  if ((await isResponder(response, issuer)) && (await areSignedBy(response, issuer))) return true;
  for (const der of response.certificates) {
    const delegate = await parseDerCertificate(der).catch(() => undefined);
    if (delegate === undefined || !(await isResponder(response, delegate))) continue;
    if ((await isDelegate(delegate, issuer, nowMs)) && (await areSignedBy(response, delegate))) return true;
  }
  return false;
}

async function isResponder({ responder }: OcspResponse, certificate: Certificate): Promise<boolean> {
  if ('name' in responder) return equalBytes(responder.name, fieldsOf(certificate).subject);
  return equalBytes(responder.keyHash, await digest('SHA-1', keyBitsOf(certificate)));
}

/** @see https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2 */
async function isDelegate(delegate: Certificate, issuer: Certificate, nowMs: number): Promise<boolean> {
  const { notBefore, notAfter } = delegate.facts;
  return (
    delegate.extendedKeyUsages?.includes(OCSP_SIGNING) === true &&
    nowMs >= Date.parse(notBefore) &&
    nowMs <= Date.parse(notAfter) &&
    equalBytes(fieldsOf(delegate).issuer, fieldsOf(issuer).subject) &&
    (await isSignedBy(delegate, issuer))
  );
}
