import { createEventHub, createLog, GatewayError, toGatewayError } from '../../src/index.ts';
import type { Config, EventHub, GivenSettings, Platform } from '../../src/index.ts';
import { fetchersIn } from './bindings.ts';
import type { DurableObjectState, Env } from './bindings.ts';
import { platformClock } from './clock.ts';
import { createBindingDialer } from './dialer/binding-dialer.ts';
import { openStorage } from './storage/open-storage.ts';

/** Events as lines of JSON in the log of the Worker. */
export function eventsOf(level: Config['logLevel']): EventHub {
  // the log of a Worker is its console
  // oxlint-disable-next-line no-console
  const write = (line: string): void => console.log(line.trimEnd());
  return createEventHub(createLog({ write, level, pretty: false, clock: platformClock }));
}

/**
 * What Workers hand to the core: no files, no programs, identities by name.
 *
 * @throws GatewayError config_invalid, capability_unsupported, store_unavailable
 */
export async function createPlatform(
  env: Env,
  { storage, vaultKeys }: GivenSettings,
  events: EventHub,
  state: DurableObjectState,
): Promise<Platform> {
  return {
    dialer: createBindingDialer({
      clock: platformClock,
      events,
      anonymous: { fetch: (input, init) => fetch(input, init) },
      fetchers: fetchersIn(env),
    }),
    storage: await openStorage(storage, env),
    openKey: () =>
      Promise.reject(new GatewayError('capability_unsupported', 'Workers take no private keys (dynamicIdentity)')),
    readFile: () =>
      Promise.reject(
        new GatewayError('file_refused', 'there are no files on Workers', { hint: 'send the text itself' }),
      ),
    readVaultKeys: () => Promise.resolve(vaultKeys),
    clock: platformClock,
    instanceName: `workers:${state.id.name ?? 'unnamed'}`,
    events,
    waitUntil: (work) =>
      state.waitUntil(
        work.catch((error: unknown) =>
          events('task.failed', { task: 'background', message: toGatewayError(error).message }),
        ),
      ),
  };
}
