import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MintedCa, mintPki, type TestPki } from '../support/pki.ts';
import { startUpstream, type TestUpstream } from '../support/tls-upstream.ts';

const DIAL_EACH = fileURLToPath(new URL('../support/dial-each.ts', import.meta.url));
let pki: TestPki;
let ca: MintedCa;
let upstream: TestUpstream;
let folder: string;

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('root');
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
  upstream = await startUpstream({ tls: { cert, key } });
  folder = await mkdtemp(join(tmpdir(), 'postern-environment-'));
  await writeFile(join(folder, 'ca.pem'), ca.pem);
});

afterAll(async () => {
  await upstream.close();
  await rm(folder, { recursive: true });
});

type Dial = readonly [material: object, origin?: string];

/** What comes of each dial in a process with this environment. */
async function dialIn(environment: Record<string, string>, ...dials: Dial[]): Promise<unknown> {
  const env = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...environment };
  const list = dials.map(([material, origin = upstream.origin()]) => ({ material, origin }));
  const { stdout } = await promisify(execFile)(process.execPath, [DIAL_EACH, JSON.stringify(list)], { env });
  return JSON.parse(stdout);
}

test('NODE_TLS_REJECT_UNAUTHORIZED=0 weakens nothing', async () => {
  const other = await pki.ca('other');
  const outcomes = await dialIn(
    { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    [{}],
    [{ caCertificate: other.pem }],
    [{ caCertificate: ca.pem }, upstream.origin('127.0.0.1')],
    [{ caCertificate: ca.pem }],
  );
  expect(outcomes).toEqual(['tls_unknown_ca', 'tls_unknown_ca', 'tls_server_wrong_host', 'answered ok']);
});

test('proxies named in the environment are not used', async () => {
  const [proxy, plain] = [await startUpstream(), await startUpstream()];
  const url = proxy.origin('127.0.0.1');
  const outcomes = await dialIn(
    { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NODE_USE_ENV_PROXY: '1' },
    [{ caCertificate: ca.pem }],
    [{}, plain.origin('127.0.0.1')],
  );
  expect(outcomes).toEqual(['answered ok', 'answered ok']);
  expect(proxy.connections).toBe(0);
  await Promise.all([proxy.close(), plain.close()]);
});

test('a CA of the default set is believed where none is given and where one is added, not where one replaces it', async () => {
  const other = await pki.ca('other');
  const outcomes = await dialIn(
    { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
    [{}],
    [{ caCertificate: other.pem, caMode: 'add' }],
    [{ caCertificate: other.pem }],
    [{ crl: await ca.crl([]) }],
    [{ crl: await other.crl([]) }],
    [{}],
  );
  const [ok, unknown, unusable] = ['answered ok', 'tls_unknown_ca', 'tls_crl_unusable'];
  expect(outcomes).toEqual([ok, ok, unknown, ok, unusable, ok]);
});
