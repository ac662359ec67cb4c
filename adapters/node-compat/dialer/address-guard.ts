import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressRefused, metadataAddresses } from '../../../src/index.ts';
import type { GatewayError } from '../../../src/index.ts';

export interface AddressGuard {
  /** Undefined when `host` is a name or an address that may be dialled. */
  refuseLiteral(host: string): GatewayError | undefined;
  /** A `dns.lookup` that fails with address_refused when any answer is a refused address. */
  readonly lookup: LookupFunction;
}

/** Keeps upstream connections away from link-local and metadata addresses, as literals and after DNS. */
export function createAddressGuard(resolveAll: typeof resolve = resolve): AddressGuard {
  const isRefused = metadataAddresses();

  const lookup: LookupFunction = (host, options, done) => {
    resolveAll(host, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      const [first] = found ?? [];
      if (error || !first) return done(error ?? notFound(host), []);
      if (found.some(({ address }) => isRefused(address))) return done(addressRefused(host), []);
      if (options.all) done(null, found);
      else done(null, first.address, first.family);
    });
  };

  return {
    refuseLiteral: (host) => (isRefused(host) ? addressRefused(host) : undefined),
    lookup,
  };
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' });
}
