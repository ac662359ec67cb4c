import { RecordStore, Vault, openKeyring } from '../../../../src/index.ts';
import type { EventSink, SettingValues, VaultKeyText } from '../../../../src/index.ts';
import { storageOf } from '../../data-dir/data-dir.ts';
import type { CliIo } from '../io.ts';
import { openStorage } from '../../storage/open-storage.ts';

/** The records of a store, and the vault they are read with. */
export interface OpenStore {
  readonly records: RecordStore;
  readonly vault: Vault;
}

/** Does work over the store and lets go of it. @throws GatewayError store_unavailable, and what `work` throws */
export async function overStore<T>(
  { runtime }: Pick<CliIo, 'runtime'>,
  values: SettingValues,
  keys: readonly VaultKeyText[],
  events: EventSink,
  work: (store: OpenStore) => Promise<T>,
): Promise<T> {
  const storage = await openStorage(runtime, storageOf(values));
  try {
    const vault = new Vault(await openKeyring(keys));
    return await work({ vault, records: new RecordStore({ storage, sealer: vault, events }) });
  } finally {
    await storage.close();
  }
}
