import { fromUtf8 } from '../base/bytes.ts';
import type { Certificate } from './certificate.ts';
import { DER, oidOf, readDer, readOneDer } from './der.ts';
import { extensionValues } from './extensions.ts';

const AUTHORITY_INFO = '1.3.6.1.5.5.7.1.1';
const OCSP = '1.3.6.1.5.5.7.48.1';
const TLS_FEATURE = '1.3.6.1.5.5.7.1.24';
const STATUS_REQUEST = 5;
const URI_TAG = 0x86;

/**
 * Where a certificate says that its status is told, http and https only.
 *
 * @throws RangeError when the DER is damaged.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.2.1
 */
export function ocspUrlsOf({ der }: Certificate): readonly string[] {
  const value = extensionValues(new Uint8Array(der)).get(AUTHORITY_INFO);
  if (value === undefined) return [];
  return readDer(readOneDer(value).value)
    .map((description) => readDer(description.value))
    .filter(([method, location]) => method && oidOf(method.value) === OCSP && location?.tag === URI_TAG)
    .map(([, location]) => fromUtf8(location?.value ?? new Uint8Array()))
    .filter((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''));
}

/**
 * Whether clients are told to refuse a certificate without a stapled status.
 *
 * @throws RangeError when the DER is damaged.
 * @see https://www.rfc-editor.org/rfc/rfc7633
 */
export function mustStaple({ der }: Certificate): boolean {
  const value = extensionValues(new Uint8Array(der)).get(TLS_FEATURE);
  if (value === undefined) return false;
  return readDer(readOneDer(value).value).some(
    (feature) => feature.tag === DER.integer && feature.value.length === 1 && feature.value[0] === STATUS_REQUEST,
  );
}
