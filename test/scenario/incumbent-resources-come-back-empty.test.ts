/** ContextForge bug B1: resources/read dialled without the client certificate and answered 200 with an empty text. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient } from '../support/mcp-client.ts';
import { BINARY_BASE64 } from '../support/mcp-fixture.ts';
import { CLIENT, startStrictUpstream } from '../support/strict-upstream.ts';
import type { StrictUpstream } from '../support/strict-upstream.ts';

let strict: StrictUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  strict = await startStrictUpstream();
  gateway = await startGateway();
  await gateway.register(strict.fields);
});
afterAll(async () => {
  await gateway.close();
  await strict.upstream.close();
});

for (const era of ['legacy', 'modern'] as const)
  test.each(['/mcp', '/servers/up/mcp'])(`${era}, %s: a resource is read with our certificate, whole`, async (path) => {
    strict.upstream.requests.length = 0;
    const client = await connectClient(gateway.url + path, await gateway.token('ann'), era);
    const read = async (uri: string) => (await client.readResource({ uri })).contents;
    expect(await read('test://text')).toEqual([{ uri: 'test://text', mimeType: 'text/plain', text: 'static text' }]);
    expect(await read('test://binary')).toMatchObject([{ blob: BINARY_BASE64 }]);
    expect(await read('test://item/7')).toMatchObject([{ text: '{"id":"7"}' }]);
    await client.close();
    const reads = strict.upstream.requestsOf('resources/read');
    expect(reads.map(({ clientSubject, authorized }) => [clientSubject, authorized])).toEqual(
      Array.from({ length: 3 }, () => [CLIENT, true]),
    );
  });

test('a resource that cannot be reached is an error with a reason, never an empty text', async () => {
  const stranger = await (await strict.pki.ca('Other CA')).issue({ cn: 'server', ip: ['127.0.0.1'] });
  const { upstream, server, ca } = strict;
  const tls = { ca: ca.pem, requireClientCertificate: true };
  const client = await connectClient(`${gateway.url}/servers/up/mcp`, await gateway.token('ann'), 'modern');
  upstream.replaceTls({ ...tls, cert: stranger.chainPem, key: stranger.keyPem });
  upstream.dropConnections();
  const read = client.readResource({ uri: 'test://text' });
  await expect(read).rejects.toMatchObject({ data: { code: 'tls_unknown_ca' } });
  upstream.replaceTls({ ...tls, cert: server.chainPem, key: server.keyPem });
  await client.close();
});
