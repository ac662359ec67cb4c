/** What docs/rotation.md shows is done as it stands there, from top to bottom, and prints what it shows. */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import { printedAs, shapeOf } from '../support/shown-output.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const closing = closeAfterEach();
const text = readFileSync(join(ROOT, 'docs/rotation.md'), 'utf8');
const SHOWN_FOLDER = '/etc/postern/certs/warehouse';

test('every command of docs/rotation.md does what it says', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  const files = join(cwd, 'warehouse');
  await mkdir(files);
  const { ca, upstream, fields } = await startStrictUpstream();
  closing.push(() => upstream.close());
  const write = async (contents: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(contents)) await writeFile(join(files, name), content);
  };
  const [client, coming, stranger] = await Promise.all(
    ['postern', 'postern 2027', 'stranger'].map((cn) => ca.issue({ cn, eku: 'client' })),
  );
  const [keyPem = '', strangerKey = ''] = [client?.keyPem, stranger?.keyPem];
  await write({ 'ca.crt': ca.pem, '2027-ca.crt': ca.pem, 'client.crt': client?.chainPem ?? '', 'client.key': keyPem });
  await write({ '2027.crt': coming?.chainPem ?? '', '2027.key': coming?.keyPem ?? '' });

  const postern = await servePostern(['--cert-dir', files], { cwd, env: { POSTERN_POLL_INTERVAL: '1' } });
  closing.push(() => postern.kill());
  const { stdout } = await runPostern(['token', '--sub', 'you', '--role', 'admin'], { cwd });
  const paths = { ca_certificate: 'ca.crt', client_cert: 'client.crt', client_key: 'client.key' };
  const response = await fetch(`${postern.url}/v1/gateways`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'warehouse',
      url: fields['url'],
      ...Object.fromEntries(Object.entries(paths).map(([name, file]) => [name, join(files, file)])),
    }),
  });
  expect(response.status, await response.text()).toBe(200);

  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const shell = openShell(cwd, {
    PATH: `${cwd}:${process.env['PATH']}`,
    POSTERN_URL: postern.url,
    POSTERN_TOKEN: stdout.trim(),
  });

  const outputs: string[] = [];
  for (const { language, text: shown } of fencesOf(text)) {
    const last = outputs.at(-1) ?? '';
    if (language === 'text') expect(last).toMatch(printedAs(shown));
    else if (language === 'json' && shown.includes('"next"'))
      await writeFile(join(cwd, 'next.json'), shown.replaceAll(SHOWN_FOLDER, files));
    else if (language === 'json') expect(shapeOf(JSON.parse(last))).toEqual(shapeOf(JSON.parse(shown)));
    else if (shown.includes('belongs to another')) {
      await write({ 'client.key': strangerKey });
      outputs.push(await shell.run(`(${shown}) 2>&1 || test $? = 1`));
      await write({ 'client.key': keyPem });
      await shell.run('postern rotate --wait');
    } else outputs.push(await shell.run(shown));
  }
  expect(outputs).toHaveLength(10);
  expect(outputs.join('\n')).not.toMatch(/"code"|PRIVATE KEY/);
  expect(upstream.requests.map(({ clientSubject }) => clientSubject)).toContain('postern 2027');
  expect(await readFile(join(cwd, 'next.json'), 'utf8')).toContain(files);
}, 60_000);

test('what to be woken by are expressions of one line each', () => {
  const expressions = rowsOf(sectionOf(text, 'How far it is')).map(([expression]) => expression ?? '');
  expect(expressions.filter((expression) => expression.startsWith('`postern_'))).toHaveLength(4);
});
