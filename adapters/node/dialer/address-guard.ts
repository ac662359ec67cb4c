import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '../../../src/index.ts';

/**
 * Addresses no upstream has but a cloud's metadata service does: link-local ones and the well-known exceptions.
 * IPv4 rules hold for IPv4-mapped IPv6 addresses too (BlockList does that); the NAT64 forms are spelled out.
 */
function refusedAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addAddress('100.100.100.200', 'ipv4');
  list.addAddress('192.0.0.192', 'ipv4');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addAddress('fd00:ec2::254', 'ipv6');
  list.addAddress('fd20:ce::254', 'ipv6');
  list.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
  list.addAddress('64:ff9b::6464:64c8', 'ipv6');
  list.addAddress('64:ff9b::c000:c0', 'ipv6');
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
