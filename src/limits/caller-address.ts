import { addressBytes } from '../base/networks.ts';
import { toHex } from '../base/bytes.ts';

/** An IPv6 caller has at least the addresses that begin with these 64 bits. @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.4 */
const SITE_BYTES = 8;

/** What an address is counted under: itself, or the /64 it lies in. Undefined for what is no address. */
export function networkOf(address: string): string | undefined {
  // on the way of every call where addresses are counted
  if (!address.includes(':')) return address;
  const bytes = addressBytes(address.split('%')[0] ?? '');
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? bytes.join('.') : toHex(Uint8Array.from(bytes.slice(0, SITE_BYTES)));
}

/**
 * Where a caller is: at the other end of its connection, or where the proxy there says. Only the last entry is the word
 * of that proxy, those before are what it was told; whose headers are not believed has none by the time this is asked.
 */
export function callerAddress(
  headers: Pick<Headers, 'get'>,
  connection: { readonly address: string | undefined } | undefined,
): string | undefined {
  const forwarded = headers.get('x-forwarded-for');
  if (forwarded === null) return connection?.address;
  const last = withoutPort(forwarded.slice(forwarded.lastIndexOf(',') + 1).trim());
  return addressBytes(last) === undefined ? connection?.address : last;
}

/** `192.0.2.1:443` and `[2001:db8::1]:443` are what some proxies write. */
function withoutPort(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  return bracketed ?? text.replace(/^([\d.]+):\d+$/, '$1');
}
