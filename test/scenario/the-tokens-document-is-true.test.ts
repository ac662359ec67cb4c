/** What docs/tokens.md shows is done as it stands there, from top to bottom, and prints what it shows. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf } from '../support/markdown.ts';
import { servePostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SHOWN_URL = 'http://127.0.0.1:4444';
const closing = closeAfterEach();

test('every command of docs/tokens.md does what it says', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  // what commands find in a data directory a gateway was started over before
  const started = await servePostern([], { cwd });
  await started.kill();
  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const shell = openShell(cwd, { PATH: `${cwd}:${process.env['PATH']}` });

  let url = SHOWN_URL;
  const outputs: string[] = [];
  const run = async (lines: string) =>
    void outputs.push(await shell.run(`set -a\n${lines.replaceAll(SHOWN_URL, url)}`));
  for (const { language, text } of fencesOf(readFileSync(join(ROOT, 'docs/tokens.md'), 'utf8'))) {
    const isServing = text.endsWith('postern serve\n');
    if (language === 'json') expect(shapeOf(JSON.parse(outputs.at(-1) ?? ''))).toEqual(shapeOf(JSON.parse(text)));
    else if (!isServing) await run(text);
    else {
      await run(text.replace('postern serve\n', ''));
      const exported = (await shell.run('env')).split('\n').map((pair) => pair.split(/=(.*)/));
      const env = Object.fromEntries(exported.filter(([name = '']) => /^(?:JWT|POSTERN|BASIC)_/.test(name)));
      const postern = await servePostern([], { cwd, env: env as Record<string, string> });
      closing.push(() => postern.kill());
      url = postern.url;
    }
  }
  const [token, listed, revoked, taken] = outputs;
  expect(JSON.parse(Buffer.from(token?.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ alg: 'EdDSA' });
  expect(JSON.parse(listed ?? '')).toMatchObject([{ subject: 'nightly-report', tools: ['find_*'] }]);
  expect(revoked).toContain('revoked');
  expect(taken).toContain('jti: uQ0FJrYBk9Xv4c0N0mXw2g');
  expect(taken).toMatch(/^subject +ann +issued before \d{4}-/m);
  expect(JSON.parse(outputs.at(-1) ?? '')).toEqual([]);
}, 60_000);

/** A document with each text that only shows what it looks like left out. */
function shapeOf(value: unknown): unknown {
  const text = JSON.stringify(value, (name, member: unknown) =>
    ['id', 'createdAt', 'expiresAt'].includes(name) ? typeof member : member,
  );
  return JSON.parse(text);
}
