import { parseArguments, UsageError } from './arguments.ts';
import type { Flags } from './arguments.ts';
import { verifyTrail } from './audit/verify.ts';
import type { CliIo } from './io.ts';
import { settingFlags } from './settings.ts';

const HELP = `Usage: postern audit verify FILE... [flags]

Reads files of POSTERN_AUDIT, oldest first, and says whether the trail in them is whole: no line changed, removed, moved or
put in, and every anchor made under a vault key of this gateway. The keys are those of the data directory, or
POSTERN_VAULT_KEYS; the store is asked which anchor was the last, so that a tail that was cut off is missed.

  --no-keys         without keys and store: hashes only, which whoever writes the file can make anew
  --data-dir DIR    the gateway's data directory (./data) [POSTERN_DATA_DIR]
  --storage URL     the gateway's store [POSTERN_STORAGE]
  --config FILE     the gateway's settings file [POSTERN_CONFIG]
  --json            print JSON
Exit codes: 0 whole, 1 broken, or it could not be told, 2 the command line makes no sense.`;

const FLAGS = {
  ...settingFlags(['dataDir', 'storage', 'configFile']),
  'no-keys': { type: 'boolean' },
} satisfies Flags;

/** `postern audit`: what a trail is worth. */
export async function auditCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, FLAGS);
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const [command, ...files] = parsed.positionals;
  if (command !== 'verify') throw new UsageError(`expected verify${command === undefined ? '' : `, met ${command}`}`);
  if (files.length === 0) throw new UsageError('expected at least one file to verify');
  return verifyTrail(files, parsed, io);
}
