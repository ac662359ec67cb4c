/** Revocation lists by URL: whom they name is refused and cut, and their server may be gone for a while. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { derOfPem } from '../../src/pki/pem.ts';
import { askHttps } from '../support/ask-https.ts';
import { closeAfterEach } from '../support/closing.ts';
import { startDocumentServer, type DocumentServer } from '../support/document-server.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki, type MintedCa, type MintedCertificate } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { tickOverHttp2, tickOverSse } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import { startTwoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();
let ca: MintedCa;
let lists: DocumentServer;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  lists = await startDocumentServer();
});
afterAll(() => lists.close());

/** From now on whoever asks gets a list of these, signed when it is asked for. */
const publish = (
  path: string,
  revoked: readonly MintedCertificate[],
  forMs = 3_600_000,
  onAsked: () => unknown = () => undefined,
) =>
  lists.put(path, async () => {
    onAsked();
    const serialNumbers = revoked.map(({ serialNumber }) => serialNumber);
    const nextUpdate = new Date(Date.now() + forMs);
    return derOfPem(await ca.crl(serialNumbers, { thisUpdate: new Date(Date.now() - 1000), nextUpdate }));
  });

test('a caller that the next list names is cut within a second of it, over every way in', async () => {
  const [revoked, other] = [await ca.issue({ cn: 'revoked' }), await ca.issue({ cn: 'other' })];
  publish('/callers.crl', []);
  const gateway = await startTlsPostern({
    args: ['--client-ca', 'callers.pem', '--client-auth', 'optional', '--client-crl', `${lists.url}/callers.crl`],
    files: { 'callers.pem': ca.pem },
  });
  closing.push(() => gateway.close());
  const source = { ...gateway.source, cert: revoked.chainPem, key: revoked.keyPem };
  const streams = await Promise.all([tickOverSse(source), tickOverHttp2(source)]);
  expect(await gateway.echo('other', other)).toBe('other');

  let fetchedAt = 0;
  publish('/callers.crl', [revoked], undefined, () => (fetchedAt = performance.now()));
  gateway.process.signal('SIGHUP');
  await Promise.all(streams.map(({ ended }) => ended));
  expect(performance.now() - fetchedAt).toBeLessThan(1000);
  expect(await gateway.process.logged('listener.cut')).toMatchObject({ connections: 2, why: 'revoked' });
  await expect(gateway.echo('revoked', revoked)).rejects.toThrow();
  expect(await gateway.echo('other', other)).toBe('other');
  expect(await gateway.metric(`postern_crl_age_seconds{source="${lists.url}/callers.crl"}`)).toBeLessThan(60);
});

test('a list that runs out refuses callers when closed, and lets them pass and says so when open', async () => {
  const [revoked, caller] = [await ca.issue({ cn: 'revoked' }), await ca.issue({ cn: 'caller' })];
  const served = async (failure: string) => {
    publish('/short.crl', [revoked], 2_000);
    const gateway = await startTlsPostern({
      args: ['--client-ca', 'callers.pem', '--client-auth', 'optional', '--client-crl', `${lists.url}/short.crl`],
      env: { POSTERN_REVOCATION_FAILURE: failure },
      files: { 'callers.pem': ca.pem },
    });
    closing.push(() => gateway.close());
    expect(await gateway.echo('caller', caller)).toBe('caller');
    lists.put('/short.crl', 503);
    return gateway;
  };
  const closed = await served('closed');
  const open = await served('open');
  await expect
    .poll(() => closed.echo('caller', caller).catch(() => 'refused'), { timeout: 5_000, interval: 100 })
    .toBe('refused');
  expect(await closed.process.logged('revocation.failing')).toMatchObject({ code: 'crl_unavailable', kind: 'crl' });
  expect(await closed.echo('nobody')).toBe('nobody');

  const passed = open.process.logged('revocation.passed');
  await until(async () => {
    await open.echo('caller', caller);
    return (await open.metric('postern_revocation_passed_total{side="listener"}')) !== undefined;
  });
  expect(await passed).toMatchObject({ side: 'listener', peer: 'CN=caller' });
  await expect(open.echo('revoked', revoked)).rejects.toThrow();
  await until(async () => (await open.metric('postern_revocation_failing{kind="crl"}')) === 1);
  const health = JSON.parse((await askHttps(open.process.health, open.tls())).text) as object;
  const revocation = { failing: [{ kind: 'crl', code: 'crl_unavailable' }], passedAt: expect.any(String) as string };
  expect(health).toMatchObject({ status: 'degraded', revocation });
});

test('a server that the next list names loses its connections, and is refused', async () => {
  const names = { cn: 'server', ip: ['127.0.0.1'] };
  const [first, second] = [await ca.issue(names), await ca.issue(names)];
  publish('/servers.crl', []);
  const fields = { ca_certificate: ca.pem, crl: `${lists.url}/servers.crl` };
  const servers = await startTwoServers({ first, second, fields });
  closing.push(() => servers.close());
  const { answer } = await servers.hold(servers.first);
  publish('/servers.crl', [first]);
  await servers.gateway.gateway.reload('test');
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  expect(servers.eventsOf('upstream.cut')).toEqual([expect.objectContaining({ why: 'revoked', requests: 1 })]);
  await expect(servers.call('echo', 'again')).rejects.toThrow(/tls_server_revoked/);
  servers.leadTo(servers.second);
  await until(async () => (await servers.call('echo', 'second').catch(() => '')) === 'second');
});

test('a gateway starts again while the server of its list is down, and none starts without any list', async () => {
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const upstream = await startMcpUpstream({ tls: { cert: server.chainPem, key: server.keyPem } });
  const folder = await makeTempFolder();
  const own = await startDocumentServer();
  closing.push(
    () => folder.remove(),
    () => upstream.close(),
    () => own.close(),
  );
  own.put('/ca.crl', await ca.crl([]));
  const options = { keys: makeKeys(), settings: { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` } };
  const fields = { name: 'up', url: upstream.url, ca_certificate: ca.pem, crl: `${own.url}/ca.crl` };
  const before = await startGateway(options);
  await before.register(fields);
  await before.close();
  await own.stop();
  const after = await startGateway(options);
  closing.push(() => after.close());
  expect(await (await after.api('GET', '/v1/gateways/up')).json()).toMatchObject({ crl: fields.crl, lastError: null });
  const refused = await after.api('POST', '/v1/gateways', { ...fields, name: 'other', crl: `${own.url}/other.crl` });
  expect(await refused.json()).toMatchObject({ type: 'urn:postern:error:crl_unavailable' });
  const untrusted = await after.api('POST', '/v1/gateways', { ...fields, name: 'x', ca_certificate: null });
  expect(await untrusted.json()).toMatchObject({ type: 'urn:postern:error:crl_missing' });
});
