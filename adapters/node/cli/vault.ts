import {
  RecordStore,
  Vault,
  formatVaultKeys,
  generateVaultKey,
  openKeyring,
  parseVaultKeys,
  rotateVault,
} from '../../../src/index.ts';
import type { RotationResult } from '../../../src/index.ts';
import { hasPid, storageOf, vaultKeyFile } from '../data-dir.ts';
import { generateSigningKey } from '../signing-key-file.ts';
import { openStorage } from '../storage/open-storage.ts';
import { changeVaultKeyFile } from '../vault-key-file.ts';
import { onlyPositional, parseArguments, UsageError } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import type { CliIo } from './io.ts';
import { loadConfig, settingFlags } from './settings.ts';
import { warningsTo } from './warnings.ts';

const HELP = `Usage: postern vault COMMAND [flags]

  key       prints fresh keys for POSTERN_VAULT_KEYS and JWT_SECRET_KEY, for instances that share a store
  rotate    seals every secret and authenticates every record under a new primary key, while gateways run

rotate, with the keys in the data directory: makes a new primary key there and keeps the old ones, which still open
what they sealed. With POSTERN_VAULT_KEYS: put the new key first on every instance, restart them, then rotate; drop the
old key once rotate has reported nothing left behind. It may be stopped and run again.

  --data-dir DIR    the gateway's data directory (./data) [POSTERN_DATA_DIR]
  --storage URL     the gateway's store [POSTERN_STORAGE]
  --config FILE     the gateway's settings file [POSTERN_CONFIG]
  --json            print JSON`;

/** `postern vault`: keys that seal secrets. */
export async function vaultCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, settingFlags(['dataDir', 'storage', 'configFile']));
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const command = onlyPositional(parsed, 'key or rotate');
  if (command === 'key') return printKeys(parsed, io);
  if (command === 'rotate') return rotate(parsed, io);
  throw new UsageError(`expected key or rotate, met ${command}`);
}

function printKeys({ flags }: Arguments, io: CliIo): number {
  const keys = {
    POSTERN_VAULT_KEYS: formatVaultKeys([generateVaultKey()]).reveal(),
    JWT_SECRET_KEY: generateSigningKey().reveal(),
  };
  if (flags['json']) io.out(JSON.stringify(keys));
  else for (const [name, value] of Object.entries(keys)) io.out(`${name}=${value}`);
  return 0;
}

async function rotate(parsed: Arguments, io: CliIo): Promise<number> {
  const { values } = await loadConfig(parsed, io);
  const keys = values.vaultKeys
    ? parseVaultKeys(values.vaultKeys)
    : await changeVaultKeyFile(vaultKeyFile(values.dataDir), (held) => [generateVaultKey(), ...held]);
  const events = warningsTo(io);
  const storage = await openStorage(storageOf(values));
  let result: RotationResult;
  try {
    const vault = new Vault(await openKeyring(keys));
    result = await rotateVault({ records: new RecordStore({ storage, sealer: vault, events }), vault, events });
  } finally {
    await storage.close();
  }
  report(result, parsed, io);
  if (values.vaultKeys === undefined && (await hasPid(values.dataDir)))
    io.err('a running gateway seals with the new key after SIGHUP; it can read with it already');
  return result.refused.length === 0 ? 0 : 1;
}

function report(result: RotationResult, { flags }: Arguments, io: CliIo): void {
  const { kid, resealed, refused } = result;
  if (flags['json']) return io.out(JSON.stringify(result));
  io.out(`${resealed} ${resealed === 1 ? 'record is' : 'records are'} sealed under the primary key ${kid} now`);
  for (const { context, code, message } of refused) io.err(`left as it is: ${context}: ${message} (${code})`);
}
