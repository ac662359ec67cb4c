/** What docs/limits.md shows is done as it stands there, and its tables are those of the code. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { COUNTED_BY } from '../../src/limits/limit-rule.ts';
import { readLimits } from '../../src/limits/short-form.ts';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/limits.md'), 'utf8');
const closing = closeAfterEach();

test('every command of docs/limits.md does what it says', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const shell = openShell(cwd, { PATH: `${cwd}:${process.env['PATH']}` });
  const [serving, calling, printed, json] = fencesOf(text);
  const [setting = '', serve = ''] = serving?.text.trim().split('\n') ?? [];
  await shell.run(setting);
  const postern = await shell.start(`exec ${serve} --port 0`, (line) => line.includes('"ready"'));
  closing.push(() => postern.interrupt());
  const { url } = JSON.parse(postern.printed) as { url: string };
  const output = await shell.run(calling?.text.replaceAll('http://127.0.0.1:4444', url) ?? '');
  // the first may have been a while ago
  const later = (shown = ''): string => shown.trimEnd().replaceAll(/(?<=in |Seconds":)\d+/g, 'some');
  expect(later(output)).toBe(later(printed?.text));
  expect(readLimits(json?.text ?? '')).toHaveLength(1);
}, 30_000);

test('what a rule may hold is what is written of it', () => {
  const rows = Object.fromEntries(rowsOf(sectionOf(text, 'Rules')).map(([member = '', what = '']) => [member, what]));
  expect(Object.keys(rows)).toEqual([
    '`per`',
    '`rate`',
    '`burst`',
    '`concurrency`',
    '`name`',
    '`tools`, `gateways`',
    '`who`',
  ]);
  for (const one of COUNTED_BY.filter((by) => by !== 'failures')) expect(rows['`per`']).toContain(`\`${one}\``);
});
