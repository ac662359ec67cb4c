import { keyUses, parseVaultKeys } from '../../../../src/index.ts';
import { readVaultKeys } from '../../data-dir/data-dir.ts';
import type { Arguments } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { loadConfig } from '../settings.ts';
import { warningsTo } from '../warnings.ts';
import { liveInstances } from './holders.ts';
import { keyTable, printKeyTable } from './key-table.ts';
import { printRefused } from './rotate.ts';
import { overStore } from './store.ts';

/** `postern vault status`: every vault key, what it still protects, and who holds it. */
export async function showKeys(parsed: Arguments, io: CliIo): Promise<number> {
  const { values } = await loadConfig(parsed, io);
  const keys = parseVaultKeys(await readVaultKeys(values));
  return overStore(io, values, keys, warningsTo(io), async ({ records, vault }) => {
    const uses = await keyUses(records);
    const live = await liveInstances(records);
    const rows = keyTable(vault.kids, uses, live);
    if (parsed.flags['json']) io.out(JSON.stringify({ keys: rows, instances: live.length, refused: uses.refused }));
    else {
      printKeyTable(rows, live.length, io);
      printRefused(uses.refused, io);
    }
    return 0;
  });
}
