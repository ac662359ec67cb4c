/** A range of IP addresses. */
export interface Network {
  /** Its first address: 4 bytes, or 16. */
  readonly first: readonly number[];
  readonly prefixBits: number;
}

/**
 * A network in CIDR notation, or one address. Undefined for what is neither, for a network whose address has bits set
 * beyond its prefix (a slip that would mean more than was meant), and for one that holds every address.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4632#section-3.1
 */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const first = addressBytes(address);
  if (first === undefined) return undefined;
  const prefixBits = bits === undefined ? first.length * 8 : Number(bits);
  if (prefixBits === 0 || prefixBits > first.length * 8) return undefined;
  return first.every((byte, index) => (byte & ~maskAt(index, prefixBits)) === 0) ? { first, prefixBits } : undefined;
}

/** Whether an address lies in a network; one that cannot be read lies in none. */
export function isInNetwork(address: string, { first, prefixBits }: Network): boolean {
  const bytes = addressBytes(address);
  return (
    bytes?.length === first.length && bytes.every((byte, index) => (byte & maskAt(index, prefixBits)) === first[index])
  );
}

/** The bytes of an IPv4 or IPv6 address without zone; IPv4 mapped into IPv6 is IPv4. Undefined for anything else. */
export function addressBytes(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const bytes = parseIpv6(text);
  const isMapped = bytes?.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 255));
  return isMapped ? bytes?.slice(12) : bytes;
}

/** Leading zeros are refused: some read them as octal. */
function parseIpv4(text: string): readonly number[] | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text)) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc4291#section-2.2 */
function parseIpv6(text: string): readonly number[] | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return undefined;
  const [left, right] = [groupsOf(head), groupsOf(tail ?? '')];
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0), ...right];
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes = groups.flatMap((group, index) => {
    if (/^[\da-f]{1,4}$/i.test(group)) return [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255];
    return (index === groups.length - 1 ? parseIpv4(group) : undefined) ?? [Number.NaN];
  });
  return bytes.includes(Number.NaN) ? undefined : bytes;
}

/** The bits of the byte at `index` that lie within a prefix. */
const maskAt = (index: number, prefixBits: number): number =>
  (0xff00 >> Math.min(8, Math.max(0, prefixBits - index * 8))) & 255;
