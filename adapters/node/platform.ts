import { hostname } from 'node:os';
import { toGatewayError } from '../../src/index.ts';
import type { Config, EventHub, Platform } from '../../src/index.ts';
import { openKey } from '../node-compat/open-key.ts';
import { systemClock } from './clock.ts';
import { readVaultKeys } from './data-dir.ts';
import { createNodeDialer } from './dialer/dialer.ts';
import { createFileWatcher } from './file-watcher.ts';
import { createFileReader } from './files.ts';
import { createProcessSpawner } from './process/process-spawner.ts';
import { openStorage } from './storage/open-storage.ts';

/**
 * What Node hands to the core.
 *
 * @throws GatewayError config_invalid, capability_unsupported, store_unavailable
 */
export async function createNodePlatform(config: Config, events: EventHub): Promise<Platform> {
  const storage = await openStorage(config.storage);
  const { contextCacheTtlSeconds: ttlSeconds } = config;
  const dialer = createNodeDialer({
    events,
    clock: systemClock,
    contextCache: {
      maxIdle: config.contextCacheMaxSize,
      ...(ttlSeconds !== undefined && { ttlMs: ttlSeconds * 1000 }),
    },
    connectTimeoutMs: config.connectTimeoutSeconds * 1000,
  });
  return {
    dialer,
    storage,
    openKey,
    readFile: createFileReader(config.certDirs),
    watchFiles: createFileWatcher({ clock: systemClock, events }),
    readVaultKeys: () => readVaultKeys(config),
    spawn: createProcessSpawner({ commands: config.stdioCommands, clock: systemClock }),
    clock: systemClock,
    instanceName: `${hostname()}:${process.pid}`,
    events,
    waitUntil: (work) =>
      void work.catch((error: unknown) =>
        events('task.failed', { task: 'background', message: toGatewayError(error).message }),
      ),
  };
}
