/** What docs/callers.md shows is done as it stands there, from top to bottom, and says what it shows. */
import { readFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { LISTENER_REFUSALS } from '../../src/base/listener-refusal.ts';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf } from '../support/markdown.ts';
import { servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const closing = closeAfterEach();
const text = readFileSync(join(ROOT, 'docs/callers.md'), 'utf8');
const [certificates = '', exports = '', ours = '', answer = '', theirs = '', impostor = '', pins = '', add = ''] =
  fencesOf(text).map((fence) => fence.text);

test('callers are named by the rules, pinned by the file, and asked by an address', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const shell = openShell(cwd, { PATH: `${cwd}:${process.env['PATH']}` });
  await shell.run(certificates);
  expect(exports.trim().split('\n').at(-1)).toBe('postern serve');
  const serve = async (lines: string): Promise<ServingPostern> => {
    const variables = await shell.run(`${lines.replace(/postern serve\n/, '')}\nenv`);
    const set = [...variables.matchAll(/^(POSTERN_CLIENT_\w+|CERT_\w+|KEY_FILE|CA_CERTS)=(.*)$/gm)];
    const env = Object.fromEntries(set.map(([, name = '', value = '']) => [name, value]));
    const postern = await servePostern([], { cwd, env: { ...env, LOG_LEVEL: 'debug' } });
    closing.push(() => postern.kill());
    return postern;
  };
  const first = await serve(exports);
  const ask = async ({ url }: ServingPostern, line: string): Promise<Record<string, unknown>> => {
    expect(line).toContain('https://localhost:4444/');
    return JSON.parse(await shell.run(line.replace('https://localhost:4444', url))) as Record<string, unknown>;
  };
  expect(await ask(first, ours)).toMatchObject(JSON.parse(answer) as object);
  expect(await ask(first, theirs)).toMatchObject({ message: expect.stringMatching(/^ann@partner\.example has role/) });
  expect(await ask(first, impostor)).toMatchObject({ status: 401, message: expect.stringContaining('no rule of') });

  const token = (await shell.run('postern token --sub ann --role admin')).trim();
  const made = await shell.run(
    `NODE_EXTRA_CA_CERTS=certs/mcp/ca/ca.crt ${add.trim()} --url ${first.url} --token ${token} --json`,
  );
  expect(JSON.parse(made)).toMatchObject({ clientAuth: 'required' });
  await first.kill();

  const second = await serve(pins);
  expect(await ask(second, ours)).toMatchObject({ code: 'forbidden' });
  const [gone = '', ...left] = (await readFile(join(cwd, 'pins'), 'utf8')).trim().split('\n');
  expect([gone.length, left.length]).toEqual([44, 2]);
  await writeFile(join(cwd, 'pins'), left.join('\n'));
  second.signal('SIGHUP');
  await second.logged('listener.reloaded');
  await expect(ask(second, ours)).rejects.toThrow('exit code');
  expect(await second.logged('listener.refused')).toMatchObject({ reason: 'key_not_pinned' });
});

test('every reason there is stands in it', () => {
  expect(LISTENER_REFUSALS.filter((reason) => !text.includes(`\`${reason}\``))).toEqual([]);
});
