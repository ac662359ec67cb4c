import { GatewayError } from './errors.ts';
import { isInNetwork, parseNetwork } from './networks.ts';

/** Single addresses at which clouds serve metadata, as the two halves an IPv6 address would embed them by. */
const CLOUD_IPV4 = [
  { text: '100.100.100.200', halves: '6464:64c8' },
  { text: '168.63.129.16', halves: 'a83f:8110' },
  { text: '192.0.0.192', halves: 'c000:c0' },
];

/**
 * Tells addresses that no upstream has but a cloud's metadata service does: link-local ones and the well-known
 * exceptions. IPv4 mapped into IPv6 is IPv4; the other ways to write it there, as IPv4-compatible, translated, NAT64 or
 * 6to4 address, are refused as well. What is no IP address is not one of them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3927 and https://www.rfc-editor.org/rfc/rfc6052
 */
export function metadataAddresses(): (address: string) => boolean {
  const embedded = ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'].flatMap((prefix) => [
    `${prefix}a9fe:0/112`,
    ...CLOUD_IPV4.map(({ halves }) => prefix + halves),
  ]);
  const networks = [
    '169.254.0.0/16',
    ...CLOUD_IPV4.map(({ text }) => text),
    'fe80::/10',
    'fd00:ec2::254',
    'fd20:ce::254',
    ...embedded,
    '2002:a9fe::/32',
    ...CLOUD_IPV4.map(({ halves }) => `2002:${halves}::/48`),
  ].flatMap((text) => parseNetwork(text) ?? []);
  return (address) => networks.some((network) => isInNetwork(address, network));
}

/** A refusal to dial such an address, or a name that leads to one. */
export function addressRefused(host: string): GatewayError {
  return new GatewayError('address_refused', `${host} is a link-local or cloud metadata address`, {
    hint: 'upstreams are never dialled at such addresses; register the address the server really has',
  });
}
