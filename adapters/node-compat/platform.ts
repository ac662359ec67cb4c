import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { toGatewayError } from '../../src/index.ts';
import type { Config, EventHub, Platform } from '../../src/index.ts';
import { openKey } from './open-key.ts';
import { systemClock } from './clock.ts';
import { readVaultKeys } from './data-dir/data-dir.ts';
import { createDialer } from './dialer/dialer.ts';
import { createFileWatcher } from './files/file-watcher.ts';
import { createFileReader, readTextFile } from './files/file-reader.ts';
import { createGrowingFile } from './files/growing-file.ts';
import { createProcessSpawner } from './process/process-spawner.ts';
import type { Runtime } from './runtime.ts';
import { openStorage } from './storage/open-storage.ts';

/**
 * What a runtime with `node:*` modules hands to the core.
 *
 * @throws GatewayError config_invalid, capability_unsupported, store_unavailable
 */
export async function createPlatform(runtime: Runtime, config: Config, events: EventHub): Promise<Platform> {
  const storage = await openStorage(runtime, config.storage);
  const { contextCacheTtlSeconds: ttlSeconds } = config;
  const dialer = createDialer(runtime, {
    events,
    clock: systemClock,
    contextCache: {
      maxIdle: config.contextCacheMaxSize,
      ...(ttlSeconds !== undefined && { ttlMs: ttlSeconds * 1000 }),
    },
    revocationFailure: config.revocationFailure,
    connectTimeoutMs: config.connectTimeoutSeconds * 1000,
  });
  return {
    dialer,
    storage,
    openKey,
    readFile: createFileReader(config.certDirs),
    readSettingFile: (path) => readTextFile(path),
    watchFiles: createFileWatcher({ clock: systemClock, events }),
    readVaultKeys: () => readVaultKeys(config),
    spawn: createProcessSpawner({ commands: config.stdioCommands, clock: systemClock }),
    growingFile: createGrowingFile,
    sha256: (text) => hash('sha256', text),
    clock: systemClock,
    instanceName: `${hostname()}:${process.pid}`,
    events,
    waitUntil: (work) =>
      void work.catch((error: unknown) =>
        events('task.failed', { task: 'background', message: toGatewayError(error).message }),
      ),
  };
}
