import { generateVaultKey, keyUses, parseVaultKeys, rotateVault } from '../../../../src/index.ts';
import type { RefusedValue, RotationResult } from '../../../../src/index.ts';
import { refuseMadeUpKeys, vaultKeyFile } from '../../data-dir/data-dir.ts';
import { changeVaultKeyFile } from '../../data-dir/vault-key-file.ts';
import { secondsFlag } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { loadConfig } from '../settings.ts';
import { warningsTo } from '../warnings.ts';
import { handOut, liveInstances, refuseWhereMissing, warnOfOtherPrimaries } from './holders.ts';
import { keyTable } from './key-table.ts';
import { progressTo } from './progress.ts';
import { overStore } from './store.ts';
import type { OpenStore } from './store.ts';

const TIMEOUT_SECONDS = 60;
const ADD_FIRST =
  'add the key behind the primary one of POSTERN_VAULT_KEYS on every instance and restart it; only then make it the primary one';

/** `postern vault rotate`: seals everything under a new primary key, once every live instance can read it. */
export async function rotateKeys(parsed: Arguments, io: CliIo): Promise<number> {
  const timeoutSeconds = secondsFlag(parsed, 'timeout') ?? TIMEOUT_SECONDS;
  const { values } = await loadConfig(parsed, io);
  if (values.vaultKeys === undefined) refuseMadeUpKeys(values);
  const keys = values.vaultKeys
    ? parseVaultKeys(values.vaultKeys)
    : await changeVaultKeyFile(vaultKeyFile(values.dataDir), (held) => [generateVaultKey(), ...held]);
  const events = warningsTo(io);
  return overStore(io, values, keys, events, async (store) => {
    const { records, vault } = store;
    const live = values.vaultKeys
      ? await liveInstances(records)
      : await handOut(records, vault.primaryKid, timeoutSeconds);
    if (values.vaultKeys) refuseWhereMissing(live, vault.primaryKid, ADD_FIRST);
    const isQuiet = parsed.flags['json'] === true;
    const result = await rotateVault({ records, vault, events, ...(!isQuiet && { onProgress: progressTo(io) }) });
    warnOfOtherPrimaries(live, vault.primaryKid, io);
    return report(result, await unusedOf(store), parsed, io);
  });
}

async function unusedOf({ records, vault }: OpenStore): Promise<readonly string[]> {
  const rows = keyTable(vault.kids, await keyUses(records), await liveInstances(records));
  return rows.filter(({ state }) => state === 'unused').map(({ kid }) => kid);
}

function report(result: RotationResult, unused: readonly string[], { flags }: Arguments, io: CliIo): number {
  const { kid, resealed, refused } = result;
  if (flags['json']) io.out(JSON.stringify({ ...result, unused }));
  else {
    io.out(`${resealed} ${resealed === 1 ? 'record is' : 'records are'} sealed under the primary key ${kid} now`);
    if (unused.length > 0)
      io.out(`nothing in the store needs ${unused.join(', ')} any more; sessions begun before live up to 24 hours`);
    printRefused(refused, io);
  }
  return refused.length === 0 ? 0 : 1;
}

/** What cannot be opened, on standard error. */
export function printRefused(refused: readonly RefusedValue[], io: CliIo): void {
  for (const { context, code, message } of refused) io.err(`left as it is: ${context}: ${message} (${code})`);
}
