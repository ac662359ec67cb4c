import { expect, test } from 'vitest';
import { UsageError } from '../../../adapters/node-compat/cli/arguments.ts';
import { rotateCommand } from '../../../adapters/node-compat/cli/rotate.ts';
import { vaultCommand } from '../../../adapters/node-compat/cli/vault.ts';
import { recordLines } from '../../support/recorded-lines.ts';

/** Nobody listens there: what makes no sense is refused before anybody is asked. */
const NOBODY = { POSTERN_URL: 'http://127.0.0.1:1', POSTERN_TOKEN: 'none' };

test.each([
  [['extra'], 'expected flags only, met extra'],
  [['--promote'], 'expected the --gateway to promote'],
  [['--gateway', 'up', '--promote', '--retire'], 'expected one of --promote, --retire, --rollback'],
  [['--gateway', 'up', '--retire', '--cut'], '--cut does not go with --retire'],
  [['--timeout', '5'], '--timeout goes with --wait'],
  [['--wait', '--timeout', 'soon'], 'expected --timeout as 1 to 86400 seconds, met soon'],
  [['--wait', '--timeout', '0'], 'expected --timeout as 1 to 86400 seconds, met 0'],
  [['--status', '--wait'], '--wait does not go with --status'],
])('rotate %j makes no sense', async (args, message) => {
  const command = rotateCommand(args, recordLines(NOBODY).io);
  await expect(command).rejects.toThrow(UsageError);
  await expect(command).rejects.toThrow(message);
});

test.each([
  [['status', '--timeout', '5'], '--timeout goes with rotate'],
  [['rotate', '--timeout', '-5'], '--timeout'],
  [['rotated'], 'expected key, rotate or status, met rotated'],
  [[], 'expected key, rotate or status'],
])('vault %j makes no sense', async (args, message) => {
  await expect(vaultCommand(args, recordLines().io)).rejects.toThrow(message);
});

test.each([
  ['rotate', rotateCommand],
  ['vault', vaultCommand],
])('the help of %s is printed', async (name, command) => {
  const { io, out } = recordLines();
  expect(await command(['--help'], io)).toBe(0);
  expect(out.join('\n')).toContain(`Usage: postern ${name} `);
});
