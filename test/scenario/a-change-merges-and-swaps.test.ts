import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

let ca: MintedCa;
let otherCa: MintedCa;
let first: MintedCertificate;
let second: MintedCertificate;
let upstream: McpUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('CA');
  otherCa = await pki.ca('Other CA');
  [first, second] = await Promise.all(
    ['first', 'second'].map((cn) => ca.issue({ cn })) as [Promise<MintedCertificate>, Promise<MintedCertificate>],
  );
});
beforeEach(async () => {
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  gateway = await startGateway();
  await gateway.register({
    name: 'up',
    url: upstream.url,
    description: 'before',
    ca_certificate: ca.pem,
    client_cert: first.chainPem,
    client_key: first.keyPem,
  });
});
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const put = async (body: object, headers: Record<string, string> = {}) => {
  const response = await gateway.api('PUT', '/v1/gateways/up', body, headers);
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  };
};

test('absent keeps, the mask keeps the secret, null clears', async () => {
  const { status, body } = await put({ name: 'renamed', description: null, client_key: '*****', tags: ['a'] });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    name: 'renamed',
    slug: 'up',
    prefix: 'up_',
    description: null,
    tags: ['a'],
    clientKey: '*****',
    clientCert: first.chainPem,
    version: 2,
    reachable: true,
  });
});

test('a new identity serves as soon as the change is answered', async () => {
  await put({ client_cert: second.chainPem, client_key: second.keyPem });
  upstream.requests.length = 0;
  const client = await connectClient(`${gateway.url}/servers/up/mcp`, await gateway.token('ann'), 'modern');
  await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
  await client.close();
  expect(upstream.requestsOf('tools/call').map(({ clientSubject }) => clientSubject)).toEqual(['second']);
});

test('a call in flight finishes on the identity it began with', async () => {
  const client = await connectClient(`${gateway.url}/servers/up/mcp`, await gateway.token('ann'), 'modern');
  const held = client.callTool({ name: 'hold', arguments: {} });
  await upstream.untilHeld(1);
  expect((await put({ client_cert: second.chainPem, client_key: second.keyPem })).status).toBe(200);
  upstream.release();
  expect(textOf(await held)).toBeDefined();
  await client.close();
});

test('what cannot be connected changes nothing, and the old one goes on', async () => {
  const { status, body } = await put({ ca_certificate: otherCa.pem, description: 'after' });
  expect([status, body['code']]).toEqual([502, 'tls_unknown_ca']);
  const now = (await (await gateway.api('GET', '/v1/gateways/up')).json()) as Record<string, unknown>;
  expect(now).toMatchObject({ description: 'before', caCertificate: ca.pem, version: 1, reachable: true });
  const refreshed = await gateway.api('POST', '/v1/gateways/up/refresh');
  expect(refreshed.status).toBe(200);
});

test('a change that does not reach the upstream differently keeps its connections', async () => {
  // the gateway's own stream takes a connection, and a refresh opens as many as it needs beside it
  await upstream.untilListened();
  expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(200);
  const { handshakes } = upstream;
  await put({ description: 'after', prefix: 'other_', tags: null });
  expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(200);
  expect(upstream.handshakes).toBe(handshakes);
});

test('a stale If-Match is refused, a current one and * are not', async () => {
  const read = await gateway.api('GET', '/v1/gateways/up');
  const etag = read.headers.get('etag') ?? '';
  const changed = await put({ description: 'one' }, { 'if-match': etag });
  expect(changed.status).toBe(200);
  expect(changed.etag).not.toBe(etag);
  const stale = await put({ description: 'two' }, { 'if-match': etag });
  expect([stale.status, stale.body['code']]).toEqual([412, 'version_stale']);
  expect((await put({ description: 'three' }, { 'if-match': '*' })).status).toBe(200);
  const { etag: current } = await put({ description: 'four' });
  expect((await put({ description: 'five' }, { 'if-match': `"other", ${current}` })).status).toBe(200);
  for (const tag of [`W/${current}`, current.slice(1, -1), ''])
    expect((await put({ description: 'six' }, { 'if-match': tag })).status).toBe(412);
  expect((await gateway.api('DELETE', '/v1/gateways/up', undefined, { 'if-match': etag })).status).toBe(412);
  expect(
    (await gateway.api('POST', '/v1/gateways/up/state?activate=false', undefined, { 'if-match': etag })).status,
  ).toBe(412);
});

test('changes made at the same time happen one after the other', async () => {
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((description) => put({ description })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(answers.map(({ body }) => body['version'])).toEqual([2, 3, 4, 5]);
});

test('registrations made at the same time take a name once', async () => {
  const answers = await Promise.all(
    [1, 2, 3].map(() =>
      gateway.api('POST', '/v1/gateways', {
        name: 'twin',
        url: upstream.url,
        ca_certificate: ca.pem,
        client_cert: first.chainPem,
        client_key: first.keyPem,
      }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
});

test('a change by another process is taken up, not overwritten', async () => {
  const { records } = gateway.gateway;
  const [stored] = await records.list<{ description: string }>('gateway');
  if (stored === undefined) throw new Error('nothing is stored');
  const read = await gateway.api('GET', '/v1/gateways/up');
  await records.write([{ kind: 'gateway', id: stored.id, body: { ...stored.body, description: 'from elsewhere' } }]);
  const stale = await put({ tags: ['a'] }, { 'if-match': read.headers.get('etag') ?? '' });
  expect(stale.status).toBe(412);
  expect((await put({ tags: ['a'] })).body).toMatchObject({ description: 'from elsewhere', tags: ['a'] });
});

test('a gateway that another process removed is gone after a reload, and counts for nothing any more', async () => {
  const { records, metrics } = gateway.gateway;
  expect(metrics.render()).toContain('gateway="up"');
  const [id = ''] = await records.ids('gateway');
  await records.write([{ kind: 'gateway', id, body: null }]);
  await gateway.gateway.reload('operator');
  expect((await gateway.api('GET', '/v1/gateways/up')).status).toBe(404);
  await expect
    .poll(() => gateway.events.filter(({ name }) => name === 'upstream.removed'))
    .toMatchObject([{ fields: { gateway: 'up' } }]);
  expect(metrics.render()).not.toContain('gateway="up"');
});

test('a removed gateway is gone, its listing too', async () => {
  expect((await gateway.api('DELETE', '/v1/gateways/up')).status).toBe(200);
  expect((await gateway.api('GET', '/v1/gateways/up')).status).toBe(404);
  expect(await gateway.gateway.records.ids('gateway')).toEqual([]);
  expect(await gateway.gateway.records.ids('listing')).toEqual([]);
  expect((await gateway.api('DELETE', '/v1/gateways/up')).status).toBe(404);
});
