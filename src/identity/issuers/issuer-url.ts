const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether keys may be fetched from a URL: over TLS, or from this machine. */
export const isFetchable = ({ protocol, hostname, username, password }: URL): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) && username + password === '';

/** Whether a text can name an issuer: a URL without query and fragment. @see https://www.rfc-editor.org/rfc/rfc8414#section-2 */
export function isIssuerUrl(text: string): boolean {
  // two spellings of one URL are two issuers, so what a parser would change is refused
  return URL.canParse(text) && isFetchable(new URL(text)) && /^https?:\/\/[^?#\s\\]+$/.test(text);
}
