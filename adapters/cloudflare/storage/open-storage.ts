import { GatewayError } from '../../../src/index.ts';
import type { Secret, StorageDriver } from '../../../src/index.ts';
import { databaseIn, namespaceIn } from '../bindings.ts';
import type { Env } from '../bindings.ts';
import { openD1 } from './d1.ts';
import { openWorkersKv } from './workers-kv.ts';

/**
 * The store that POSTERN_STORAGE names: a binding of the Worker.
 *
 * @throws GatewayError config_invalid, capability_unsupported, store_unavailable
 */
export async function openStorage(storage: Secret, env: Env): Promise<StorageDriver> {
  // a store of Workers is a name, so there is nothing in it to hide
  const [scheme = '', binding = ''] = storage.reveal().split(':', 2);
  if (scheme === 'd1') return openD1(databaseIn(env, binding) ?? refuse(scheme, binding));
  if (scheme === 'cf-kv') return openWorkersKv(namespaceIn(env, binding) ?? refuse(scheme, binding));
  throw new GatewayError('capability_unsupported', `storage ${scheme}: exists on other platforms, not on Workers`, {
    hint: 'write d1:BINDING or cf-kv:BINDING',
  });
}

function refuse(scheme: string, binding: string): never {
  const product = scheme === 'd1' ? 'D1 database' : 'KV namespace';
  throw new GatewayError('config_invalid', `POSTERN_STORAGE: no ${product} is bound as ${binding}`, {
    hint: 'add the binding to wrangler.toml, or name one that is there',
  });
}
