/** A terminal sends Ctrl-C to everything in front of it: to what `npm run start:deno` runs, and to what that starts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { SUBJECTS } from '../../support/runtime-gateway.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { RUNTIMES } from '../programs.ts';

const START = resolve(import.meta.dirname, '../start.ts');

test.each([SUBJECTS.deno, SUBJECTS.bun])('on $name the gateway is told once, and drains', async ({ command }) => {
  const folder = await makeTempFolder();
  const options = { cwd: folder.path, detached: true } as const;
  const child = spawn(RUNTIMES.node, [START, ...command, 'serve', '--port', '0'], { ...options, stdio: 'pipe' });
  const [log, exited] = [text(child.stderr), once(child, 'exit')];
  await once(createInterface({ input: child.stdout }), 'line');
  // the group of the process: the terminal's foreground
  process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(await log).toContain('gateway.stopped');
  await folder.remove();
});
