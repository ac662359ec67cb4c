import { toBase64Url, utf8 } from '../base/bytes.ts';

/** SHA-256 of a text, as base64url. */
export const digestOf = async (text: string): Promise<string> =>
  toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
