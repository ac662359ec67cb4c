import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let ca: MintedCa;
let folder: TempFolder;
let upstream: McpUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  ca = await (await mintPki()).ca('CA');
  folder = await makeTempFolder();
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  gateway = await startGateway({ settings: { POSTERN_CERT_DIRS: folder.path } });
  await write(await ca.issue({ cn: 'first' }));
  await writeFile(`${folder.path}/ca.pem`, ca.pem);
  await gateway.register({
    name: 'up',
    url: upstream.url,
    ca_certificate: path('ca.pem'),
    client_cert: path('client.crt'),
    client_key: path('client.key'),
  });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
  await folder.remove();
});

const path = (name: string): string => `${folder.path}/${name}`;
const write = async ({ chainPem, keyPem }: MintedCertificate) => {
  await writeFile(path('client.crt'), chainPem);
  await writeFile(path('client.key'), keyPem);
};
const read = async () => (await (await gateway.api('GET', '/v1/gateways/up')).json()) as Record<string, unknown>;
const subjectOfNextCall = async () => {
  upstream.requests.length = 0;
  expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(200);
  return upstream.requestsOf('tools/list').at(-1)?.clientSubject;
};

test('paths are stored as paths, and the key stays masked', async () => {
  expect(await read()).toMatchObject({
    caCertificate: path('ca.pem'),
    clientCert: path('client.crt'),
    clientKey: '*****',
  });
});

test('a reload takes up a new identity; unchanged files keep the connections', async () => {
  expect(await subjectOfNextCall()).toBe('first');
  await upstream.untilListened();
  const { handshakes } = upstream;
  await gateway.gateway.reload('operator');
  expect(await subjectOfNextCall()).toBe('first');
  expect(upstream.handshakes).toBe(handshakes);
  await write(await ca.issue({ cn: 'second' }));
  await gateway.gateway.reload('operator');
  expect(await subjectOfNextCall()).toBe('second');
});

test('files that do not belong together leave the last good identity in force, and health says so', async () => {
  await writeFile(path('client.crt'), (await ca.issue({ cn: 'half' })).certPem);
  await gateway.gateway.reload('operator');
  expect(await subjectOfNextCall()).toBe('first');
  expect(await read()).toMatchObject({
    reachable: true,
    status: 'refused',
    lastError: expect.stringContaining('key_mismatch'),
    health: { status: 'failing' },
  });
  await write(await ca.issue({ cn: 'whole' }));
  await gateway.gateway.reload('operator');
  expect(await read()).toMatchObject({ status: 'active', lastError: null });
  expect(await subjectOfNextCall()).toBe('whole');
});
