import { GatewayError } from './errors.ts';
import { isInNetwork, parseNetwork } from './networks.ts';
import type { Network } from './networks.ts';

/** The link-local network, and single addresses at which clouds serve metadata. */
const IPV4 = ['169.254.0.0/16', '100.100.100.200', '168.63.129.16', '192.0.0.192'];
const IPV6 = ['fe80::/10', 'fd00:ec2::254', 'fd20:ce::254'];
/** What stands in front of an IPv4 address that is compatible, translated, behind a NAT64 or 6to4; mapped is IPv4. */
const EMBEDDINGS = ['::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/96', '2002::/16'];

/**
 * Tells addresses that no upstream has but a cloud's metadata service does: link-local ones and the well-known
 * exceptions, also where IPv6 embeds them. What is no IP address is not one of them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3927 and https://www.rfc-editor.org/rfc/rfc6052
 */
export function metadataAddresses(): (address: string) => boolean {
  const [ipv4, ipv6, prefixes] = [networksOf(IPV4), networksOf(IPV6), networksOf(EMBEDDINGS)];
  const embedded = prefixes.flatMap((prefix) => ipv4.map((network) => embeddedIn(prefix, network)));
  const networks = [...ipv4, ...ipv6, ...embedded];
  return (address) => networks.some((network) => isInNetwork(address, network));
}

const networksOf = (texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);

function embeddedIn(prefix: Network, { first, prefixBits }: Network): Network {
  const embedded = prefix.first.toSpliced(prefix.prefixBits / 8, first.length, ...first);
  return { first: embedded, prefixBits: prefix.prefixBits + prefixBits };
}

/** A refusal to dial such an address, or a name that leads to one. */
export function addressRefused(host: string): GatewayError {
  return new GatewayError('address_refused', `${host} is a link-local or cloud metadata address`, {
    hint: 'upstreams are never dialled at such addresses; register the address the server really has',
  });
}
