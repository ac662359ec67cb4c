/** POSTERN_REQUIRE_TLS: nothing but health is said in plain text, in either direction. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { askHttps } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { rawExchange } from '../support/raw-request.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let upstream: McpUpstream;
let ca: string;
let postern: ServingPostern | undefined;
beforeAll(async () => {
  folder = await makeTempFolder();
  upstream = await startMcpUpstream();
  const authority = await (await mintPki()).ca('Listener CA');
  ca = authority.pem;
  const { bundlePem } = await authority.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  await writeFile(join(folder.path, 'both.pem'), bundlePem);
});
afterAll(async () => {
  await postern?.kill();
  await upstream.close();
  await folder.remove();
});

const run = (...args: string[]) => runPostern(args, { cwd: folder.path });

test('without a certificate nothing listens', async () => {
  const ran = await run('serve', '--port', '0', '--require-tls', 'true');
  expect([ran.code, ran.stdout]).toEqual([1, '']);
  expect(ran.stderr).toContain('POSTERN_REQUIRE_TLS: true allows no listener in plain text; set CERT_FILE');
});

test('an upstream of before is out of service and named, and no other is taken; the TLS port speaks TLS only', async () => {
  const first = await servePostern(['--tls-cert', 'both.pem'], { cwd: folder.path });
  const token = (await run('token', '--sub', 'ann', '--role', 'admin')).stdout.trim();
  const ask = async ({ url }: ServingPostern, path: string, fields?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = fields && JSON.stringify(fields);
    return askHttps(url + path, { ca, family: 4, headers, body });
  };
  expect((await ask(first, '/v1/gateways', { name: 'old', url: upstream.url })).status).toBe(200);
  await first.kill();

  const args = ['--tls-cert', 'both.pem', '--require-tls', 'true', '--health-port', '0'];
  postern = await servePostern(args, { cwd: folder.path });
  const [old] = JSON.parse((await ask(postern, '/v1/gateways')).text) as Record<string, unknown>[];
  expect(old).toMatchObject({ slug: 'old', lastError: expect.stringContaining('url_refused') });
  const health = JSON.parse(await (await fetch(postern.health)).text()) as object;
  expect(JSON.stringify(health)).toContain('url_refused');
  const refused = await ask(postern, '/v1/gateways', { name: 'new', url: upstream.url });
  expect([refused.status, JSON.parse(refused.text)]).toMatchObject([422, { code: 'url_refused' }]);

  const plain = await rawExchange(postern.url, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(plain).not.toContain('200 OK');
});

test('a plain upstream is served where plain text is allowed', async () => {
  const gateway = await startGateway();
  try {
    expect(await gateway.register({ name: 'up', url: upstream.url })).toMatchObject({ slug: 'up' });
  } finally {
    await gateway.close();
  }
});
