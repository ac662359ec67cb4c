import { afterEach, beforeAll, expect, test } from 'vitest';
import { identityOf, profileOf } from '../../support/open-test-profile.ts';
import { startMcpUpstream, type McpUpstreamOptions } from '../../support/mcp-upstream.ts';
import { mintPki, type MintedCa, type MintedCertificate } from '../../support/pki.ts';
import { dialUpstream, TEST_GRANT } from '../../support/upstream.ts';

let ca: MintedCa;
let serverCert: MintedCertificate;
let clientCert: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('Test CA');
  serverCert = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  clientCert = await ca.issue({ cn: 'postern-client' });
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function startStrict(options: McpUpstreamOptions, withIdentity = true) {
  const server = await startMcpUpstream({
    ...options,
    tls: { cert: serverCert.chainPem, key: serverCert.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  const profile = await profileOf({ caCertificate: ca.pem, ...(withIdentity && identityOf(clientCert)) });
  const dialled = dialUpstream({ url: new URL(server.url), profile });
  open.push(server, dialled);
  return { server, dialled, upstream: dialled.upstream };
}

test.for([{ era: 'dual' }, { era: 'legacy' }, { era: 'modern' }, { transport: 'sse' }] as const)(
  'every request reaches a strict server with our certificate: %o',
  async (options) => {
    const { server, dialled, upstream } = await startStrict(options);
    await upstream.connect(TEST_GRANT);
    await upstream.probe(TEST_GRANT);
    await upstream.call(TEST_GRANT, 'tools/call', { name: 'echo', arguments: { text: 'x' } });
    await upstream.call(TEST_GRANT, 'resources/read', { uri: 'test://text' });
    await upstream.call(TEST_GRANT, 'prompts/get', { name: 'greet', arguments: { who: 'you' } });
    await upstream.connect(TEST_GRANT);
    await upstream.close(0);
    expect(server.requests.length).toBeGreaterThan(10);
    expect(
      server.requests.filter(({ authorized, clientSubject }) => !authorized || clientSubject !== 'postern-client'),
    ).toEqual([]);
    expect(dialled.eventsOf('context.built')).toHaveLength(1);
  },
);

test('calls one after the other use one connection, also where answers are event streams', async () => {
  const { server, upstream } = await startStrict({ era: 'legacy' });
  await upstream.connect(TEST_GRANT);
  for (let index = 0; index < 5; index++)
    await upstream.call(TEST_GRANT, 'tools/call', { name: 'echo', arguments: { text: 'x' } });
  expect(server.handshakes).toBeLessThanOrEqual(2);
});

test('without a certificate the reason is the certificate, not the era', async () => {
  const { server, upstream } = await startStrict({}, false);
  await expect(upstream.connect(TEST_GRANT)).rejects.toMatchObject({ code: 'tls_client_certificate_required' });
  expect(server.requests).toEqual([]);
  expect(upstream.health.reason).toMatchObject({ code: 'tls_client_certificate_required', hint: expect.any(String) });
});

test('examine reports the handshake over TLS, and reachability over plain HTTP', async () => {
  const { upstream } = await startStrict({});
  expect(await upstream.examine(AbortSignal.timeout(5000))).toMatchObject({ ok: true, protocol: 'TLSv1.3' });
  const plain = await startMcpUpstream();
  const dialled = dialUpstream({ url: new URL(plain.url) });
  open.push(plain, dialled);
  expect(await dialled.upstream.examine(AbortSignal.timeout(5000))).toMatchObject({ ok: true, protocol: undefined });
  plain.intercept = () => new Response('', { status: 500 });
  expect(await dialled.upstream.examine(AbortSignal.timeout(5000))).toMatchObject({
    ok: false,
    error: { code: 'upstream_http_status' },
  });
});
