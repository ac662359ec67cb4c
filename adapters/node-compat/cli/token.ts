import { importTokenKey, mintToken } from '../../../src/index.ts';
import { systemClock } from '../clock.ts';
import { existingSigningKey } from '../data-dir/data-dir.ts';
import { readTextFile } from '../files/file-reader.ts';
import { parseArguments, refusePositionals, textFlag, UsageError } from './arguments.ts';
import type { CliIo } from './io.ts';
import { loadConfig, settingFlags } from './settings.ts';
import { parseTtl } from './ttl.ts';

const HELP = `Usage: postern token --sub NAME [--role admin|user] [--ttl 1h] [--data-dir DIR]

Prints a bearer token, signed with the key of the gateway over that data directory, JWT_SECRET_KEY or
JWT_PRIVATE_KEY_PATH.

  --sub NAME        who it stands for
  --role ROLE       admin may register gateways, user may only call them (user)
  --ttl TIME        how long it is valid: 90s, 15m, 1h, 30d (1h)
  --data-dir DIR    the gateway's data directory (./data) [POSTERN_DATA_DIR]
  --config FILE     the gateway's settings file [POSTERN_CONFIG]
  --json            print JSON: token, subject, role, expiresAt`;

/** `postern token`: prints a bare token. */
export async function tokenCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const flags = { sub: { type: 'string' }, role: { type: 'string' }, ttl: { type: 'string' } } as const;
  const parsed = parseArguments(argv, { ...settingFlags(['dataDir', 'configFile']), ...flags });
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  refusePositionals(parsed);
  const subject = textFlag(parsed, 'sub');
  if (subject === undefined) throw new UsageError('expected --sub NAME: who the token stands for');
  const role = textFlag(parsed, 'role') ?? 'user';
  if (role !== 'admin' && role !== 'user') throw new UsageError(`expected --role admin or user, met ${role}`);
  const ttlSeconds = parseTtl(textFlag(parsed, 'ttl') ?? '1h');

  const { values } = await loadConfig(parsed, io);
  const signing = { ...values, jwtSecretKey: await existingSigningKey(values) };
  const key = await importTokenKey(signing, (path) => readTextFile(path));
  const token = await mintToken({ subject, role, ttlSeconds }, key, systemClock);
  const expiresAt = new Date(systemClock.nowMs() + ttlSeconds * 1000).toISOString();
  io.out(parsed.flags['json'] ? JSON.stringify({ token, subject, role, expiresAt }) : token);
  return 0;
}
