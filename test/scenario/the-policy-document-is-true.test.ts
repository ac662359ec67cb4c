/** What docs/policy.md shows is done as it stands there, from top to bottom, and prints what it shows. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { POLICY_PATHS } from '../../src/http/api/policy-paths.ts';
import { ADMIN_AREAS } from '../../src/policy/admin-actions.ts';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import { printedAs } from '../support/shown-output.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const closing = closeAfterEach();
const text = readFileSync(join(ROOT, 'docs/policy.md'), 'utf8');

test('every command of docs/policy.md does what it says, at a gateway and on its data directory', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  const upstream = await startMcpUpstream({ extraTools: ['find_stock', 'delete_stock'] });
  closing.push(() => upstream.close());
  const postern = await servePostern([], { cwd, env: { POSTERN_POLL_INTERVAL: '1' } });
  closing.push(() => postern.kill());
  const token = (await runPostern(['token', '--sub', 'you', '--role', 'admin'], { cwd })).stdout.trim();
  const added = await runPostern(['gateways', 'add', 'warehouse', upstream.url], {
    cwd,
    env: { POSTERN_URL: postern.url, POSTERN_TOKEN: token },
  });
  expect(added.code, added.stderr).toBe(0);

  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const PATH = `${cwd}:${process.env['PATH']}`;
  const shell = openShell(cwd, { PATH, POSTERN_URL: postern.url, POSTERN_TOKEN: token });
  let printed = '';
  for (const { language, text: shown } of fencesOf(text)) {
    if (language === 'yaml') await writeFile(join(cwd, 'policy.yaml'), shown);
    else if (language === 'text') expect(printed).toMatch(printedAs(shown));
    else printed = await shell.run(shown);
  }

  await writeFile(join(cwd, 'shown.yaml'), await shell.run('postern policy show'));
  expect(await shell.run('postern policy apply shown.yaml')).toBe('4 rules are in force\n');
  // who locked everybody out puts it right on the data directory, and the gateway takes it over
  const local = openShell(cwd, { PATH });
  await writeFile(join(cwd, 'wrong.yaml'), "rules: [{ name: oops, deny: { admin: '*' } }]");
  const headers = { authorization: `Bearer ${token}` };
  const statusOf = async () => (await fetch(`${postern.url}/v1/policy`, { headers })).status;
  await local.run('postern policy apply wrong.yaml');
  await expect.poll(statusOf, { timeout: 20_000 }).toBe(403);
  await local.run('postern policy clear');
  await expect.poll(statusOf, { timeout: 20_000 }).toBe(200);
});

test('its tables are whole', () => {
  const addresses = rowsOf(sectionOf(text, 'REST')).map(([address]) => address);
  const operations = Object.entries(POLICY_PATHS).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `\`${method.toUpperCase()} ${path}\``),
  );
  expect(addresses).toEqual(operations);
  const admin = rowsOf(sectionOf(text, 'What')).find(([member]) => member === '`admin`')?.[1] ?? '';
  for (const area of ADMIN_AREAS) expect(admin).toContain(area);
});
