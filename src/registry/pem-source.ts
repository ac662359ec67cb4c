import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { splitPem } from '../pki/pem.ts';
import type { KeySource, ListSource, PemSource } from './gateway-record.ts';
import { parseUpstreamUrl } from './upstream-url.ts';

/** The labels a field may hold; everything else in the text is left out of the record. */
const SHOWN = {
  certificate_unreadable: ['CERTIFICATE', 'X509 CERTIFICATE'],
  ca_unreadable: ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'],
  crl_unreadable: ['X509 CRL'],
} as const;

const PATH = /^(?:(?:\.{0,2}\/|[A-Za-z]:[\\/])[^\r\n]*|[^\r\n]*\.(?:pem|crt|cer|key|crl))$/;

const isPath = (text: string): boolean => !text.includes('-----BEGIN') && PATH.test(text);

/**
 * A certificate, CA or CRL field: a path as it is, or the blocks of a PEM text that may be shown. A private key in it
 * never becomes part of the record.
 *
 * @throws GatewayError `code`
 */
export function parsePemSource(given: string, code: keyof typeof SHOWN): PemSource {
  const text = given.trim();
  if (isPath(text)) return { file: text };
  const labels: readonly string[] = SHOWN[code];
  const blocks = splitPem(text, code).filter(({ label }) => labels.includes(label));
  if (blocks.length === 0)
    throw new GatewayError(code, `expected PEM with a ${labels[0]} block, or the path of such a file`, {
      hint: 'give the text of a PEM file from its BEGIN to its END line; DER has to be converted first',
    });
  return { pem: blocks.map(({ pem }) => pem).join('') };
}

/**
 * A field for revocation lists: URLs between blanks, a path or PEM.
 *
 * @throws GatewayError crl_unreadable, url_refused
 */
export function parseListSource(given: string): ListSource {
  if (!/^\s*https?:\/\//i.test(given)) return parsePemSource(given, 'crl_unreadable');
  return {
    urls: given
      .trim()
      .split(/\s+/)
      .map((text) => parseUpstreamUrl(text).href),
  };
}

/** A private key field: a path as it is, or the key itself. */
export function parseKeySource(given: Secret): KeySource<Secret> {
  const text = given.reveal().trim();
  return isPath(text) ? { file: text } : given;
}
