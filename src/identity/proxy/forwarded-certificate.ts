import { fromBase64 } from '../../base/bytes.ts';
import { derOfPem, splitPem } from '../../pki/pem.ts';
import { checkText, unusable } from './forwarded-name.ts';

/** Longest certificate in a header, in characters: a big one with RSA 4096 takes a third. */
const MAX_LENGTH = 16_384;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * DER of the certificate a header holds as URL-encoded PEM (nginx, Envoy) or as base64 of its DER (HAProxy, Caddy).
 *
 * @throws GatewayError unauthenticated
 */
export function certificateIn(header: string, value: string): Uint8Array {
  checkLength(header, value);
  return value.startsWith('-----') ? derOfEncodedPem(header, value) : derOfBase64(header, value);
}

/**
 * DER of the certificate in a Client-Cert header, a byte sequence between colons.
 *
 * @throws GatewayError unauthenticated
 * @see https://www.rfc-editor.org/rfc/rfc9440#section-2.2
 */
export function certificateInByteSequence(header: string, value: string): Uint8Array {
  checkLength(header, value);
  const base64 = /^:([^:]+):$/.exec(value)?.[1];
  if (base64 === undefined) throw unusable(header, 'is not one byte sequence (RFC 9440)');
  return derOfBase64(header, base64);
}

function checkLength(header: string, value: string): void {
  checkText(header, value);
  if (value.length > MAX_LENGTH) throw unusable(header, `is longer than ${MAX_LENGTH} characters`);
  // a second value would pass for the explanation PEM may have around it
  if (/[\s,]/.test(value)) throw unusable(header, 'holds a blank or a comma, or was sent twice');
}

function derOfBase64(header: string, text: string): Uint8Array {
  if (text === '' || !BASE64.test(text)) throw unusable(header, 'holds no certificate');
  return fromBase64(text);
}

function derOfEncodedPem(header: string, text: string): Uint8Array {
  const blocks = blocksOf(text);
  const [block] = blocks;
  // the first of several is not the caller's for every proxy, so none of them is
  if (block === undefined || blocks.length > 1 || block.label !== 'CERTIFICATE')
    throw unusable(header, 'holds something else than one certificate');
  return derOfPem(block.pem);
}

/** None where the text is damaged; why, is not for the caller to read. */
function blocksOf(text: string): ReturnType<typeof splitPem> {
  try {
    return splitPem(decodeURIComponent(text));
  } catch {
    return [];
  }
}
