import { GatewayError } from '../base/errors.ts';
import type { StorageDriver } from './driver.ts';

/**
 * A storage driver that fails in one way only. `reasonOf` turns what a client threw into a code or fixed text of the
 * product, for people. The original error is not even kept as a cause: it may hold the URL the client was given,
 * password included.
 */
export function guardStorage(storage: StorageDriver, reasonOf: (error: unknown) => string = codeOf): StorageDriver {
  const { name, shared, driver, counters } = storage;
  const guard = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeUnavailable(name, reasonOf(error));
    }
  };
  return {
    name,
    shared,
    driver: {
      getItem: (key, options) => guard(() => driver.getItem(key, options)),
      getKeys: (base, options) => guard(() => driver.getKeys(base, options)),
    },
    commit: (changes) => guard(() => storage.commit(changes)),
    ...(storage.watch && { watch: storage.watch }),
    ...(counters && { counters: { take: (bucket, wanted) => guard(() => counters.take(bucket, wanted)) } }),
    close: () => storage.close(),
  };
}

/** A store that did not do its work; `reason` is never a text built from settings. */
export function storeUnavailable(store: string, reason: string): GatewayError {
  return new GatewayError('store_unavailable', `the ${store} store did not answer as expected (${reason})`, {
    hint: 'check that the store is up, reachable and writable; the gateway reconnects by itself',
    details: { store, reason },
  });
}

/** The code of anything thrown; `timeout` or its class when it has none. */
export function codeOf(error: unknown): string {
  const { code, message, name } = error as Readonly<Record<'code' | 'message' | 'name', unknown>>;
  const timeout = typeof message === 'string' && /time(?:d |-)?out/i.test(message) ? 'timeout' : undefined;
  return [code, timeout, name].find((reason) => typeof reason === 'string') ?? 'unknown';
}
