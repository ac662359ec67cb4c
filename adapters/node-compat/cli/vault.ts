import { formatVaultKeys, generateVaultKey } from '../../../src/index.ts';
import { generateSigningKey } from '../data-dir/signing-key-file.ts';
import { onlyPositional, parseArguments, textFlag, UsageError } from './arguments.ts';
import type { Arguments, Flags } from './arguments.ts';
import type { CliIo } from './io.ts';
import { settingFlags } from './settings.ts';
import { rotateKeys } from './vault/rotate.ts';
import { showKeys } from './vault/status.ts';

const HELP = `Usage: postern vault COMMAND [flags]

  key       prints fresh keys for POSTERN_VAULT_KEYS and JWT_SECRET_KEY, for instances that share a store
  rotate    seals every secret and authenticates every record under a new primary key, while gateways run
  status    every key, the records and sealed values it still protects, and how many instances hold it

rotate, with the keys in the data directory: makes a new primary key there and keeps the old ones, which still open
what they sealed; waits until every live instance took it up; then seals.

rotate, with POSTERN_VAULT_KEYS: seals under the first of them, and refuses while a live instance does not hold it. So:
add the new key as the second one on every instance and restart each; make it the first one and restart each; rotate;
drop the old key once status calls it unused. It may be stopped and run again.

  --timeout SECONDS rotate: how long instances may take to read the key file again (60)
  --data-dir DIR    the gateway's data directory (./data) [POSTERN_DATA_DIR]
  --storage URL     the gateway's store [POSTERN_STORAGE]
  --config FILE     the gateway's settings file [POSTERN_CONFIG]
  --json            print JSON
Exit codes: 0 done, 1 failed, or something could not be opened, 2 the command line makes no sense.`;

const FLAGS = { ...settingFlags(['dataDir', 'storage', 'configFile']), timeout: { type: 'string' } } satisfies Flags;

/** `postern vault`: keys that seal secrets. */
export async function vaultCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, FLAGS);
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const command = onlyPositional(parsed, 'key, rotate or status');
  if (command !== 'rotate' && textFlag(parsed, 'timeout') !== undefined)
    throw new UsageError('--timeout goes with rotate');
  if (command === 'key') return printKeys(parsed, io);
  if (command === 'rotate') return rotateKeys(parsed, io);
  if (command === 'status') return showKeys(parsed, io);
  throw new UsageError(`expected key, rotate or status, met ${command}`);
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
