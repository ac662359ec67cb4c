import { toBase64 } from '../../base/bytes.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { ocspUrlsOf } from '../../pki/authority-info.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { ocspAnswer, type OcspAnswer } from '../../pki/ocsp-answer.ts';
import { ocspRequest } from '../../pki/ocsp-request.ts';
import type { FetchBytes } from '../fetch-bytes.ts';

/** An answer, and the response it was read from. */
export interface FetchedAnswer extends OcspAnswer {
  readonly der: Uint8Array<ArrayBuffer>;
}

const LIMITS = { accept: 'application/ocsp-response', limitBytes: 64 * 1024, timeoutMs: 5_000 };
/** Of those a certificate names. */
const MAX_RESPONDERS = 2;

/** Where the status of a certificate is asked for; empty where it names nobody or cannot be read. */
export function respondersOf(certificate: Certificate): readonly string[] {
  try {
    return ocspUrlsOf(certificate).slice(0, MAX_RESPONDERS);
  } catch {
    return [];
  }
}

/**
 * Asks a responder by GET, so that caches on the way may answer.
 *
 * @throws GatewayError ocsp_unavailable, which says why
 * @see https://www.rfc-editor.org/rfc/rfc5019#section-5
 */
export async function fetchAnswer(
  responder: string,
  about: { readonly certificate: Certificate; readonly issuer: Certificate },
  fetchBytes: FetchBytes,
  nowMs: number,
): Promise<FetchedAnswer> {
  try {
    const request = encodeURIComponent(toBase64(await ocspRequest(about.certificate, about.issuer)));
    const der = await fetchBytes(`${responder.replace(/\/$/, '')}/${request}`, LIMITS);
    return { ...(await ocspAnswer(der, about.certificate, about.issuer, nowMs)), der };
  } catch (error) {
    throw ocspUnavailable(responder, error instanceof RangeError ? error.message : toGatewayError(error).message);
  }
}

/** Nobody says anything current of a certificate. */
export function ocspUnavailable(responder: string, why: string): GatewayError {
  return new GatewayError('ocsp_unavailable', `the OCSP responder ${responder} gives no answer of use: ${why}`, {
    hint: 'see whether it is reached from here and up to date; POSTERN_REVOCATION_FAILURE decides who passes meanwhile',
  });
}
