/** Identities on Workers are bindings: what arrives with them, what is refused without, and what moves between them. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CLOUDFLARE } from '../../../adapters/cloudflare/runtime.ts';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { MintedCertificate } from '../../support/pki.ts';
import { startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { until } from '../../support/until.ts';
import { startWorkerdGateway } from '../../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../../support/workerd-gateway.ts';

let strict: StrictUpstream;
let second: MintedCertificate;
let gateway: WorkerdGateway;
let url: string;
beforeAll(async () => {
  strict = await startStrictUpstream();
  ({ url } = strict.upstream);
  second = await strict.ca.issue({ cn: 'second', eku: 'client' });
  gateway = await startWorkerdGateway({
    certificates: { FIRST: strict.client, SECOND: second },
    trusted: [strict.ca.pem],
    // the second would have Node believe anybody
    texts: { POSTERN_ALLOW_INSECURE_TLS: 'true', NODE_TLS_REJECT_UNAUTHORIZED: '0', LOG_LEVEL: 'debug' },
  });
});
afterAll(async () => {
  await gateway?.close();
  await strict?.upstream.close();
});
beforeEach(() => void strict.upstream.requests.splice(0));

const post = (fields: object, query = '') => gateway.api('POST', `/v1/gateways${query}`, fields);
const remove = (name: string) => gateway.api('DELETE', `/v1/gateways/${name}`);

/** What arrived of new requests; upstreams of earlier tests say goodbye in their own time. */
const posted = () => strict.upstream.requests.filter(({ httpMethod }) => httpMethod === 'POST');

/** Whose certificate each call came with, by its text. */
const arrivals = () =>
  strict.upstream
    .requestsOf('tools/call')
    .map(
      ({ params, clientSubject }) =>
        [(params?.['arguments'] as { text?: string } | undefined)?.text ?? '', clientSubject] as const,
    );

test('two identities at one origin are never mixed', async () => {
  await gateway.register({ name: 'first', url, client_binding: 'FIRST' });
  await gateway.register({ name: 'second', url, client_binding: 'SECOND' });
  const calls = Array.from({ length: 40 }, (_, n) =>
    gateway.call(`${n % 2 ? 'first' : 'second'}_echo`, { text: `${n}` }),
  );
  await Promise.all(calls);
  const expected = calls.map((_, n) => [`${n}`, n % 2 ? 'postern-client' : 'second'] as const);
  expect(Object.fromEntries(arrivals())).toEqual(Object.fromEntries(expected));
  expect(arrivals()).toHaveLength(calls.length);
  const fingerprints = await Promise.all(
    ['first', 'second'].map(async (name) => (await gateway.api('GET', `/v1/gateways/${name}`)).body['tls']),
  );
  expect(new Set(fingerprints.map((tls) => (tls as { fingerprint: string }).fingerprint)).size).toBe(2);
  await Promise.all([remove('first'), remove('second')]);
});

test.each([
  ['http://169.254.169.254/mcp', 'url_refused'],
  ['https://[::a9fe:a9fe]/mcp', 'address_refused'],
])('%s is not dialled', async (address, code) => {
  const { status, body } = await post({ name: 'up', url: address });
  expect([status, body['code']]).toEqual([422, code]);
});

test('a binding that is not there is refused, and nothing is stored', async () => {
  for (const query of ['', '?connect=false']) {
    const { status, body } = await post({ name: 'up', url, client_binding: 'NOWHERE' }, query);
    expect([status, body['code']]).toEqual([422, 'binding_not_found']);
    expect(body['message']).toContain('NOWHERE');
  }
  expect((await gateway.api('GET', '/v1/gateways/up')).status).toBe(404);
  expect(posted()).toEqual([]);
});

test('a server that wants an identity is not reached without', async () => {
  const { status, body } = await post({ name: 'up', url });
  expect([status, body['code']]).toEqual([502, 'tls_handshake_failed']);
  expect(body['hint']).toContain('client_binding');
  expect(posted()).toEqual([]);
});

test('a server nobody vouches for, one of another name and one that is not there are told apart as far as workerd does', async () => {
  const { pki, ca } = strict;
  const served = async (certificate: MintedCertificate) => {
    const { chainPem: cert, keyPem: key } = certificate;
    const upstream = await startMcpUpstream({ tls: { cert, key } });
    const { status, body } = await post({ name: 'up', url: upstream.url, client_binding: 'FIRST' });
    await upstream.close();
    return [status, body['code'], upstream.requests.length];
  };
  const stranger = await pki.ca('Stranger');
  const server = { cn: 'server', ip: ['127.0.0.1'], eku: 'server' } as const;
  expect(await served(await stranger.issue(server))).toEqual([502, 'tls_handshake_failed', 0]);
  expect(await served(await ca.issue({ ...server, ip: ['127.0.0.9'] }))).toEqual([502, 'tls_handshake_failed', 0]);
  expect(await served(await ca.issue({ ...server, eku: 'client' }))).toEqual([502, 'tls_handshake_failed', 0]);
  expect(await served(await ca.issue({ ...server, notAfter: new Date(Date.now() - 1000) }))).toEqual([
    502,
    'tls_handshake_failed',
    0,
  ]);
  const gone = await startMcpUpstream();
  await gone.close();
  expect((await post({ name: 'up', url: gone.url })).body['code']).toBe('connection_lost');
  expect((await post({ name: 'up', url: 'http://nowhere.invalid/mcp' })).body['code']).toBe('tcp_unreachable');
});

test('an answer that leads elsewhere is not followed, so nobody else sees the identity', async () => {
  const { chainPem: cert, keyPem: key } = strict.server;
  const target = await startMcpUpstream({
    tls: { cert, key, ca: strict.ca.pem, requireClientCertificate: 'optional' },
  });
  await gateway.register({ name: 'up', url, client_binding: 'FIRST' });
  strict.upstream.intercept = () => new Response(null, { status: 307, headers: { location: target.url } });
  expect(await gateway.call('up_echo', { text: 'follow me' })).toContain('upstream_redirect');
  strict.upstream.intercept = undefined;
  expect([target.requests, target.handshakes]).toEqual([[], 0]);
  await remove('up');
  await target.close();
});

test('everything that comes and goes at run time is refused by the name of its capability', async () => {
  const { ca, client, server } = strict;
  const asked: Readonly<Record<string, object>> = {
    caOnly: { ca_certificate: ca.pem },
    caAdd: { ca_certificate: ca.pem, ca_mode: 'add' },
    dynamicIdentity: { client_cert: client.chainPem, client_key: client.keyPem },
    serverName: { server_name: 'server' },
    skipHostname: { check_hostname: false },
    skipVerify: { verify: false },
    minVersion: { min_tls_version: 'TLSv1.3' },
    crl: { crl: await ca.crl([]) },
    ocsp: { revocation: 'ocsp' },
    pins: { pins: [server.certificate.facts.spkiPin] },
  };
  for (const [capability, fields] of Object.entries(asked)) {
    expect(CLOUDFLARE.dialer).toMatchObject({ [capability]: false });
    const { status, body } = await post({ name: 'up', url, ...fields });
    expect([capability, status, body['details']]).toEqual([capability, 422, { capabilities: [capability] }]);
    expect(body['message']).toContain(`(${capability})`);
  }
  const encrypted = { client_cert: client.chainPem, client_key: client.keyPem, client_key_password: 'hush' };
  expect((await post({ name: 'up', url, ...encrypted })).body['details']).toEqual({
    capabilities: ['dynamicIdentity', 'encryptedKey'],
  });
  expect((await post({ name: 'up', url, ca_certificate: 'no PEM' })).body['code']).toBe('ca_unreadable');
  expect((await post({ name: 'up', url, client_cert: client.chainPem })).body['code']).toBe('key_missing');
  expect((await post({ name: 'up', url, client_key: client.keyPem })).body['code']).toBe('capability_unsupported');
  const nested = { next: { client_cert: client.chainPem, client_key: client.keyPem } };
  expect((await post({ name: 'up', url, client_binding: 'FIRST', ...nested })).body['code']).toBe(
    'capability_unsupported',
  );
  expect(
    (await post({ name: 'up', url, client_cert: '/etc/client.pem', client_key: '/etc/key.pem' })).body['code'],
  ).toBe('file_refused');
  expect((await post({ name: 'up', transport: 'STDIO', command: '/bin/cat' })).body['code']).toBe(
    'capability_unsupported',
  );
  expect((await post({ name: 'up', url: 'http://127.0.0.1:1/mcp', client_binding: 'FIRST' })).body['code']).toBe(
    'config_invalid',
  );
  expect((await gateway.api('GET', '/v1/gateways')).body).toEqual([]);
  expect(posted()).toEqual([]);
});

test('another binding, put or promoted, is what arrives from then on; what runs goes on', async () => {
  await gateway.register({ name: 'up', url, client_binding: 'FIRST' });
  const held = gateway.call('up_hold', { text: 'held' });
  await until(() => strict.upstream.isHolding('held'));
  expect((await gateway.api('PUT', '/v1/gateways/up', { client_binding: 'SECOND' })).status).toBe(200);
  await gateway.call('up_echo', { text: 'put' });
  strict.upstream.release();
  expect(await held).toBe('released');
  const next = { next: { client_binding: 'FIRST' } };
  expect((await gateway.api('PUT', '/v1/gateways/up', next)).body).toMatchObject({ clientBinding: 'SECOND' });
  await gateway.call('up_echo', { text: 'announced' });
  const rotate = (action: string) => gateway.api('POST', '/v1/rotation', { action, gateway: 'up' });
  expect((await rotate('promote')).status).toBe(202);
  expect((await gateway.api('GET', '/v1/gateways/up')).body).toMatchObject({
    clientBinding: 'FIRST',
    retiring: { clientBinding: 'SECOND' },
  });
  await gateway.call('up_echo', { text: 'promoted' });
  expect(arrivals().slice(1)).toEqual([
    ['put', 'second'],
    ['announced', 'second'],
    ['promoted', 'postern-client'],
  ]);
  expect((await rotate('rollback')).status).toBe(202);
  expect((await gateway.api('GET', '/v1/gateways/up')).body).toMatchObject({ clientBinding: 'SECOND' });
  const checked = await gateway.api('POST', '/v1/gateways/up/check');
  expect(checked.body).toMatchObject({ ok: true });
  await remove('up');
});

test('no secret is logged or kept in the open', async () => {
  const canaries = { auth_token: 'canary-of-a-bearer-token', client_key_password: 'canary-of-a-passphrase' };
  const { client_key_password, auth_token } = canaries;
  const { client } = strict;
  await post({ name: 'no', url, client_cert: client.chainPem, client_key: client.keyPem, client_key_password });
  await gateway.register({ name: 'up', url, client_binding: 'FIRST', auth_type: 'bearer', auth_token });
  expect(await gateway.call('up_echo', { text: 'hi' })).toBe('hi');
  expect(strict.upstream.requestsOf('tools/call')[0]?.headers.authorization).toBe(`Bearer ${auth_token}`);
  const [, line = ''] = client.keyPem.split('\n');
  const seen = gateway.printed() + (await gateway.folder.bytes());
  expect(seen).toContain('upstream.registered');
  for (const secret of [...Object.values(canaries), line, gateway.token]) expect(seen).not.toContain(secret);
  await remove('up');
});
