/** docs/proxies.md: what it says to type starts a gateway, and is what the files below deploy/ say. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { settingsFor } from '../support/front-proxy.ts';
import { fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/** What callers write. */
const NAME = 'gateway.example.com';
const ROOT = resolve(import.meta.dirname, '../..');
const document = readFileSync(`${ROOT}/docs/proxies.md`, 'utf8');
const setUp = rowsOf(sectionOf(document, 'Set up'));

test('the certificates that are shown are made, for the proxy by the name callers use', async () => {
  const folder = await makeTempFolder();
  try {
    const commands = fencesOf(document)[0]?.text.trimEnd().split('\n') ?? [];
    for (const command of commands) {
      const [program, ...args] = command.split(' ');
      expect([program, (await runPostern(args, { cwd: folder.path })).code]).toEqual(['postern', 0]);
    }
    const read = (file: string) => new X509Certificate(readFileSync(join(folder.path, 'certs/mcp', file)));
    const authority = read('ca/ca.crt');
    const [server, caller] = [read('plugins/gateway/server.crt'), read('clients/alice/client.crt')];
    expect([server, caller].map((one) => one.verify(authority.publicKey))).toEqual([true, true]);
    expect([server.checkHost(NAME), caller.subject]).toEqual([NAME, expect.stringContaining('CN=alice')]);
  } finally {
    await folder.remove();
  }
});

test('what is shown starts a gateway, and is what the files of nginx, Caddy and HAProxy say', async () => {
  const text = fencesOf(document)[1]?.text ?? '';
  const exported = Object.fromEntries(
    [...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value]) => [name, value ?? '']),
  );
  expect(text.trim().split('\n').at(-1)).toBe('postern serve');
  for (const file of ['nginx/nginx.conf', 'caddy/Caddyfile', 'haproxy/haproxy.cfg'])
    expect(await settingsFor(file)).toEqual(exported);
  const folder = await makeTempFolder();
  const postern = await servePostern([], { cwd: folder.path, env: exported });
  try {
    const headers = { 'X-SSL-Client-S-DN-CN': 'ann', 'X-SSL-Client-Verify': 'SUCCESS' };
    const answer = await fetch(`${postern.url}/v1/gateways`, { headers });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('ann has role user')]);
  } finally {
    await postern.kill();
    await folder.remove();
  }
});

test('each proxy has a file, which asks for the header that is shown', () => {
  expect(setUp.length).toBe(6);
  for (const [, link = '', header = ''] of setUp) {
    const [, file = ''] = /\]\(\.\.\/(deploy\/[^)]+)\)/.exec(link) ?? [];
    expect(readFileSync(`${ROOT}/${file}`, 'utf8')).toMatch(
      new RegExp(`PROXY_USER_HEADER(?:=|, value: )${header.replaceAll('`', '')}\\b`),
    );
  }
});

test('the phases are those of CallerSettings', () => {
  const source = readFileSync(`${ROOT}/src/identity/authenticator.ts`, 'utf8');
  const inCode = [...source.matchAll(/^ \* \| [^|]*\| (true|false) \| (true|false) \|/gm)].map(([, first, second]) => [
    first,
    second,
  ]);
  const shown = rowsOf(sectionOf(document, 'The switches')).flatMap(([, first = '', second = '', ...rest]) => [
    [first.replaceAll('`', ''), second.replaceAll('`', ''), rest.length],
  ]);
  expect(inCode).toEqual([
    ['true', 'false'],
    ['true', 'true'],
    ['false', 'true'],
    ['false', 'false'],
  ]);
  // phases 2 and 3 are one row there
  expect(shown.map(([first, second]) => [first, second])).toEqual([
    inCode[0],
    inCode[1],
    inCode[1],
    inCode[2],
    inCode[3],
  ]);
});
