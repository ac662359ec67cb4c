import { startGateway, makeKeys } from './gateway.ts';
import type { TestGateway } from './gateway.ts';
import { makeTempFolder } from './temp-folder.ts';

/** Gateways in this process that share keys and a store. */
export interface Fleet {
  readonly gateways: readonly TestGateway[];
  /** Idempotent. */
  close(): Promise<void>;
}

/** Starts `count` instances; without a POSTERN_STORAGE in the settings they share an SQLite file and poll it. */
export async function startFleet(count: number, settings: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  const folder = await makeTempFolder();
  const storage = { POSTERN_STORAGE: `sqlite:${folder.path}/shared.db` };
  const options = { keys: makeKeys(), settings: { ...storage, ...settings } };
  const gateways = await Promise.all(Array.from({ length: count }, () => startGateway(options)));
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const gateway of gateways) await gateway.close();
    await folder.remove();
  };
  return { gateways, close: () => (closing ??= close()) };
}
