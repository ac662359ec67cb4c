/** A server that stays, with what is believed no more: that it fails us is no reason to go on believing it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { startTwoServers } from '../support/two-servers.ts';
import type { TwoServers } from '../support/two-servers.ts';

let old: MintedCa;
let renewed: MintedCa;
let own: MintedCertificate;
let folder: TempFolder;
let servers: TwoServers;

beforeEach(async () => {
  const pki = await mintPki();
  [old, renewed] = [await pki.ca('Old'), await pki.ca('New')];
  own = await old.issue({ cn: 'server', ip: ['127.0.0.1'] });
  folder = await makeTempFolder();
});
afterEach(async () => {
  await servers.close();
  await folder.remove();
});

const start = async (fields: Record<string, unknown>, settings: Record<string, string> = {}): Promise<void> => {
  servers = await startTwoServers({ first: own, second: own, fields, settings });
};

test('a change over the API says so and changes nothing, unless it is not to ask the server', async () => {
  await start({ ca_certificate: old.pem + renewed.pem });
  const { answer } = await servers.hold(servers.first);
  const change = { ca_certificate: renewed.pem };
  const refused = await servers.gateway.api('PUT', '/v1/gateways/up', change);
  expect([refused.status, await refused.json()]).toEqual([502, expect.objectContaining({ code: 'tls_unknown_ca' })]);
  expect(await servers.call('echo', 'goes on')).toBe('goes on');
  expect((await servers.gateway.api('PUT', '/v1/gateways/up?connect=false', change)).status).toBe(200);
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  await expect(servers.call('echo', 'x')).rejects.toThrow(/"code":"tls_unknown_ca"/);
});

test.each([
  ['a bundle without its authority', 'ca.pem', 'tls_unknown_ca', () => renewed.pem],
  ['a list that names its certificate', 'list.crl', 'tls_server_revoked', () => old.crl([own.serialNumber])],
])('%s in a file is in force at once', async (_, file, code, narrower) => {
  const [bundle, list] = [join(folder.path, 'ca.pem'), join(folder.path, 'list.crl')];
  await writeFile(bundle, old.pem + renewed.pem);
  // with a list for one authority, each of the others needs one
  await writeFile(list, (await old.crl([])) + (await renewed.crl([])));
  await start(
    { ca_certificate: bundle, ...(file === 'list.crl' && { crl: list }) },
    { POSTERN_CERT_DIRS: folder.path },
  );
  const { answer } = await servers.hold(servers.first);
  const text = await narrower();
  await writeFile(join(folder.path, file), file === 'list.crl' ? text + (await renewed.crl([])) : text);
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  await expect(servers.call('echo', 'x')).rejects.toThrow(new RegExp(`"code":"${code}"`));
  await writeFile(bundle, old.pem);
  if (file === 'list.crl') await writeFile(list, await old.crl([]));
  await expect
    .poll(() => servers.call('echo', 'believed again').catch(() => ''), { timeout: 10_000 })
    .toBe('believed again');
});

test('it is in force also where the server lets nobody try it', async () => {
  const bundle = join(folder.path, 'ca.pem');
  await writeFile(bundle, old.pem + renewed.pem);
  await start({ ca_certificate: bundle }, { POSTERN_CERT_DIRS: folder.path });
  const { answer } = await servers.hold(servers.first);
  // who was withdrawn keeps what is open, and shows itself to nobody new
  servers.leadTo(servers.second);
  await servers.second.close();
  await writeFile(bundle, renewed.pem);
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  servers.leadTo(servers.first);
  await expect
    .poll(() => servers.call('echo', 'x').catch(String), { timeout: 10_000 })
    .toMatch(/"code":"tls_unknown_ca"/);
});
