import { writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fieldsOf, mintGeneration, serverTls, startOverlap } from '../support/overlap.ts';
import type { CertificateGeneration, OverlappingGateway } from '../support/overlap.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let former: CertificateGeneration;
let coming: CertificateGeneration;
let folder: TempFolder;
let up: OverlappingGateway;

beforeAll(async () => {
  [former, coming] = await Promise.all([mintGeneration('former'), mintGeneration('coming')]);
});
beforeEach(async () => {
  folder = await makeTempFolder();
  up = await startOverlap(former, { settings: { POSTERN_CERT_DIRS: folder.path } });
});
afterEach(async () => {
  await up.close();
  await folder.remove();
});

const serverTakes = (...[presents, ...accepts]: Parameters<typeof serverTls>) =>
  up.upstream.replaceTls(serverTls(presents, ...accepts));
const refused = (code: string) => expect.objectContaining({ code });
const path = (name: string) => `${folder.path}/${name}`;
const write = async (name: string, { client }: CertificateGeneration) => {
  await writeFile(path(`${name}.crt`), client.chainPem);
  await writeFile(path(`${name}.key`), client.keyPem);
};
const inFiles = (name: string) => ({ client_cert: path(`${name}.crt`), client_key: path(`${name}.key`) });

test('a PUT is undone, and done again', async () => {
  serverTakes(former, former, coming);
  await up.put({ client_cert: coming.client.chainPem, client_key: coming.client.keyPem, min_tls_version: 'TLSv1.3' });
  expect(await up.subjectOfNextCall()).toBe('coming client');
  await up.change('rollback');
  expect(await up.subjectOfNextCall()).toBe('former client');
  expect(await up.view()).toMatchObject({ clientCert: former.client.chainPem, minTlsVersion: 'TLSv1.2' });
  await up.change('rollback');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(await up.view()).toMatchObject({ clientCert: coming.client.chainPem, minTlsVersion: 'TLSv1.3' });
});

test('a promotion is undone: what was next waits again', async () => {
  serverTakes(former, former, coming);
  await up.put({ next: fieldsOf(coming) });
  await up.change('promote');
  await up.change('rollback');
  expect(await up.subjectOfNextCall()).toBe('former client');
  expect(await up.view()).toMatchObject({ next: { clientCert: coming.client.chainPem }, retiring: null });
});

test('a retirement that came too early is undone', async () => {
  serverTakes(former, former, coming);
  await up.put({ next: fieldsOf(coming) });
  await up.change('promote');
  await up.change('retire');
  up.upstream.dropConnections();
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  expect(await up.view()).toMatchObject({ lastError: expect.stringContaining('tls_unknown_ca') });
  await up.change('rollback');
  expect(await up.subjectOfNextCall()).toBe('coming client');
});

test('where the server refuses what was before, it stays as it is', async () => {
  serverTakes(former, former, coming);
  await up.put({ client_cert: coming.client.chainPem, client_key: coming.client.keyPem });
  serverTakes(former, coming);
  const before = await up.view();
  await expect(up.change('rollback')).rejects.toEqual(refused('connection_lost'));
  expect(await up.view()).toMatchObject({
    version: before['version'],
    clientCert: coming.client.chainPem,
    reachable: true,
  });
  expect(await up.subjectOfNextCall()).toBe('coming client');
});

test('what is no change of the TLS side is not undone, and does not count as one', async () => {
  await expect(up.change('rollback')).rejects.toEqual(refused('nothing_to_roll_back'));
  serverTakes(former, former, coming);
  await up.put({ client_cert: coming.client.chainPem, client_key: coming.client.keyPem });
  await up.put({ description: 'later', client_key: '*****', client_cert: coming.client.chainPem });
  await up.change('rollback');
  expect(await up.view()).toMatchObject({ description: 'later', clientCert: former.client.chainPem });
});

test('a change of what files hold is undone by whoever has the files', async () => {
  serverTakes(former, former, coming);
  await write('client', former);
  await up.put(inFiles('client'));
  await write('client', coming);
  await up.gateway.gateway.reload('test');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  await expect(up.change('rollback')).rejects.toMatchObject({
    code: 'files_not_kept',
    hint: expect.stringContaining('put the former files back'),
    details: { files: [path('client.crt'), path('client.key')] },
  });
  await write('client', former);
  await up.gateway.gateway.reload('test');
  expect(await up.subjectOfNextCall()).toBe('former client');
  await up.change('rollback');
  expect(await up.view()).toMatchObject({ clientCert: former.client.chainPem });
});

test('files that were overwritten are no way back', async () => {
  serverTakes(former, former, coming);
  await write('first', former);
  await write('second', coming);
  await up.put(inFiles('first'));
  await up.put(inFiles('second'));
  await write('first', coming);
  await expect(up.change('rollback')).rejects.toEqual(refused('files_not_kept'));
  expect(await up.view()).toMatchObject({ clientCert: path('second.crt') });
  await write('first', former);
  await up.change('rollback');
  expect(await up.subjectOfNextCall()).toBe('former client');
});
