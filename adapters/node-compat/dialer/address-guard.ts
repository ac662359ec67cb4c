import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '../../../src/index.ts';

/**
 * Addresses no upstream has but a cloud's metadata service does: link-local ones and the well-known exceptions.
 * IPv4 rules hold for IPv4-mapped IPv6 addresses too (BlockList does that); the other ways to write one in IPv6, as
 * IPv4-compatible, translated, NAT64 or 6to4 address, are spelled out.
 */
function refusedAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addAddress('100.100.100.200', 'ipv4');
  list.addAddress('168.63.129.16', 'ipv4');
  list.addAddress('192.0.0.192', 'ipv4');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addAddress('fd00:ec2::254', 'ipv6');
  list.addAddress('fd20:ce::254', 'ipv6');
  for (const prefix of ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::']) {
    list.addSubnet(`${prefix}a9fe:0`, 112, 'ipv6');
    for (const address of ['6464:64c8', 'a83f:8110', 'c000:c0']) list.addAddress(prefix + address, 'ipv6');
  }
  list.addSubnet('2002:a9fe::', 32, 'ipv6');
  for (const prefix of ['2002:6464:64c8::', '2002:a83f:8110::', '2002:c000:c0::']) list.addSubnet(prefix, 48, 'ipv6');
  return list;
}

export interface AddressGuard {
  /** Undefined when `host` is a name or an address that may be dialled. */
  refuseLiteral(host: string): GatewayError | undefined;
  /** A `dns.lookup` that fails with address_refused when any answer is a refused address. */
  readonly lookup: LookupFunction;
}

/** Keeps upstream connections away from link-local and metadata addresses, as literals and after DNS. */
export function createAddressGuard(resolveAll: typeof resolve = resolve): AddressGuard {
  const list = refusedAddresses();
  const isRefused = (address: string, family: number): boolean => list.check(address, family === 6 ? 'ipv6' : 'ipv4');

  const lookup: LookupFunction = (host, options, done) => {
    resolveAll(host, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      const [first] = found ?? [];
      if (error || !first) return done(error ?? notFound(host), []);
      if (found.some(({ address, family }) => isRefused(address, family))) return done(refusal(host), []);
      if (options.all) done(null, found);
      else done(null, first.address, first.family);
    });
  };

  return {
    refuseLiteral: (host) => (isIP(host) && isRefused(host, isIP(host)) ? refusal(host) : undefined),
    lookup,
  };
}

function refusal(host: string): GatewayError & NodeJS.ErrnoException {
  return new GatewayError('address_refused', `${host} is a link-local or cloud metadata address`, {
    hint: 'upstreams are never dialled at such addresses; register the address the server really has',
  });
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' });
}
