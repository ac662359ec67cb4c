/** Instances that are on the list of a store and run nowhere. */
import { join } from 'node:path';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { readVaultKeyFile } from '../../adapters/node-compat/data-dir/vault-key-file.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { Secret } from '../../src/base/secret.ts';
import { Instances } from '../../src/rotation/instances.ts';
import { RecordStore } from '../../src/store/records.ts';
import { openKeyring } from '../../src/vault/keyring.ts';
import { Vault } from '../../src/vault/vault.ts';
import { ManualClock } from './manual-clock.ts';

/** Has one say, so many milliseconds ago, that it lives; it takes up nothing and holds no vault key. */
export async function leaveGhost(dataDir: string, name: string, agoMs = 0): Promise<void> {
  await overInstances(dataDir, agoMs, (instances) =>
    instances.acknowledge('ghost', { name, generation: 0, seen: 0, at: '', problems: [], vaultKeys: [] }),
  );
}

/** Takes it off the list. */
export async function removeGhost(dataDir: string): Promise<void> {
  await overInstances(dataDir, 0, (instances) => instances.leave('ghost'));
}

async function overInstances(
  dataDir: string,
  agoMs: number,
  work: (instances: Instances) => Promise<void>,
): Promise<void> {
  const storage = await openStorage(NODE, new Secret(`sqlite:${join(dataDir, 'postern.db')}`));
  try {
    const sealer = new Vault(await openKeyring(await readVaultKeyFile(join(dataDir, 'vault.key'))));
    const records = new RecordStore({ storage, sealer, events: () => undefined });
    await work(new Instances(records, new ManualClock(Date.now() - agoMs)));
  } finally {
    await storage.close();
  }
}
