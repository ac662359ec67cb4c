import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { fieldsOf, mintGeneration, serverTls, startOverlap } from '../support/overlap.ts';
import type { CertificateGeneration, OverlappingGateway } from '../support/overlap.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const keys = makeKeys();
let former: CertificateGeneration;
let coming: CertificateGeneration;
let folder: TempFolder;
let settings: Record<string, string>;
let up: OverlappingGateway;
let again: TestGateway | undefined;

beforeAll(async () => {
  [former, coming] = await Promise.all([mintGeneration('former'), mintGeneration('coming')]);
});
beforeEach(async () => {
  folder = await makeTempFolder();
  settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db`, POSTERN_CERT_DIRS: folder.path };
  up = await startOverlap(former, { keys, settings });
});
afterEach(async () => {
  await again?.close();
  again = undefined;
  await up.close();
  await folder.remove();
});

const restart = async () => {
  await up.gateway.close();
  again = await startGateway({ keys, settings });
};
const view = async () => (await (await again?.api('GET', '/v1/gateways/up'))?.json()) as Record<string, unknown>;

test('a server that moved while nobody ran is served with the next identity', async () => {
  await up.put({ next: fieldsOf(coming) });
  up.upstream.replaceTls(serverTls(coming, coming));
  await restart();
  await expect
    .poll(view)
    .toMatchObject({ reachable: true, health: { status: 'healthy' }, tls: { presenting: 'next' } });
});

test('a next identity whose files are gone leaves the current one in service, and health says so', async () => {
  const path = (name: string) => `${folder.path}/${name}`;
  await writeFile(path('next.crt'), coming.client.chainPem);
  await writeFile(path('next.key'), coming.client.keyPem);
  await up.put({ next: { client_cert: path('next.crt'), client_key: path('next.key') } });
  await rm(path('next.key'));
  await up.gateway.gateway.reload('test');
  expect(await up.view()).toMatchObject({
    status: 'refused',
    tls: { next: { clientCertificate: { subject: 'CN=coming client' } } },
  });
  await restart();
  expect(await view()).toMatchObject({
    status: 'refused',
    lastError: expect.stringContaining('file_refused'),
    tls: { presenting: 'current', clientCertificate: { subject: 'CN=former client' } },
  });
  expect((await again?.api('POST', '/v1/gateways/up/refresh'))?.status).toBe(200);
  await writeFile(path('next.key'), coming.client.keyPem);
  await again?.gateway.reload('test');
  expect(await view()).toMatchObject({ status: 'active', tls: { next: { clientCertificate: { daysLeft: 29 } } } });
});
