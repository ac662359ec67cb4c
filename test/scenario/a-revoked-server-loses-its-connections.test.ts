/** A revocation list or a set of pins that rules out a server reaches the connections that are open. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mintPki, type MintedCa, type MintedCertificate } from '../support/pki.ts';
import { startTwoServers, type TwoServers } from '../support/two-servers.ts';

let ca: MintedCa;
let first: MintedCertificate;
let second: MintedCertificate;
let servers: TwoServers | undefined;

beforeEach(async () => {
  ca = await (await mintPki()).ca('CA');
  const names = { cn: 'server', ip: ['127.0.0.1'] };
  [first, second] = [await ca.issue(names), await ca.issue(names)];
});
afterEach(() => servers?.close());

async function cutBy(fields: Record<string, unknown>, change: Record<string, unknown>) {
  servers = await startTwoServers({ first, second, fields: { ca_certificate: ca.pem, ...fields } });
  const { answer } = await servers.hold(servers.first);
  servers.leadTo(servers.second);
  await servers.change(change);
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  return servers.eventsOf('upstream.cut');
}

test('a list that names its certificate', async () => {
  const cut = await cutBy({}, { crl: await ca.crl([first.serialNumber]) });
  expect(cut).toEqual([expect.objectContaining({ gateway: 'up', why: 'revoked', requests: 1 })]);
});

test('a pin that was taken out', async () => {
  const [one, other] = [first.certificate.facts.spkiPin, second.certificate.facts.spkiPin];
  const cut = await cutBy({ pins: [one, other] }, { pins: [other] });
  expect(cut).toEqual([expect.objectContaining({ gateway: 'up', why: 'pin', requests: 1 })]);
});

test('verification that is switched on', async () => {
  const impostor = await (await mintPki()).ca('Impostor');
  first = await impostor.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const insecure = { POSTERN_ALLOW_INSECURE_TLS: 'true' };
  servers = await startTwoServers({
    first,
    second,
    fields: { ca_certificate: ca.pem, verify: false },
    settings: insecure,
  });
  const { answer } = await servers.hold(servers.first);
  servers.leadTo(servers.second);
  await servers.change({ verify: true });
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
});

test('a list that names somebody else leaves everything as it is', async () => {
  servers = await startTwoServers({ first, second, fields: { ca_certificate: ca.pem } });
  const { answer } = await servers.hold(servers.first);
  await servers.change({ crl: await ca.crl([second.serialNumber]) });
  servers.first.release();
  expect(await answer).toBe('released');
  expect(servers.eventsOf('upstream.cut')).toEqual([]);
});
