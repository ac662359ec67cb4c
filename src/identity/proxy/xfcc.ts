/** One hop of an X-Forwarded-Client-Cert header: what the client of a proxy showed. */
export interface XfccElement {
  /** Of the subject alternative names, in their order. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** The distinguished name, RFC 2253. */
  readonly subject?: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly hash?: string;
  /** The certificate, PEM, URL-encoded. */
  readonly cert?: string;
}

/**
 * Up to what ends it: a value in quotes, where a backslash stands before what would end it, or one without. A header
 * that came twice is joined with a blank.
 */
const PAIR = / *([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))([;,]|$)/gy;
/**
 * The elements of the header, the nearest hop last; undefined where it is not written as Envoy writes it: then
 * somebody may have put half an element before a genuine one.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function parseXfcc(text: string): readonly XfccElement[] | undefined {
  const elements: XfccElement[] = [];
  let element = empty();
  let end = ',';
  for (const [, key = '', quoted, bare = '', next = ''] of text.matchAll(PAIR)) {
    if (!take(element, key.toLowerCase(), quoted?.replaceAll('\\"', '"') ?? bare)) return undefined;
    end = next;
    if (end === ';') continue;
    elements.push(element);
    element = empty();
  }
  return end === '' ? elements : undefined;
}

interface Growing {
  readonly uris: string[];
  readonly dnsNames: string[];
  subject?: string;
  hash?: string;
  cert?: string;
}

const empty = (): Growing => ({ uris: [], dnsNames: [] });

/** By and Chain are read over. False where a key comes again that may come once. */
function take(element: Growing, key: string, value: string): boolean {
  if (key === 'uri' && value !== '') element.uris.push(value);
  if (key === 'dns' && value !== '') element.dnsNames.push(value);
  if (key !== 'subject' && key !== 'hash' && key !== 'cert') return true;
  if (element[key] !== undefined) return false;
  element[key] = key === 'hash' ? value.toLowerCase() : value;
  return true;
}
