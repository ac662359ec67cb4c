/** OCSP for callers and for servers, as an operator configures it; what each answer leads to is in test/contract/ocsp.test.ts. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import { issueStatused, ocspResponse } from '../support/ocsp-pki.ts';
import { type OcspResponder, startOcspResponder } from '../support/ocsp-responder.ts';
import { type MintedCa, mintPki } from '../support/pki.ts';
import { tickOverHttp2, tickOverSse, tickOverWebSocket } from '../support/ticking.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import { startTwoServers } from '../support/two-servers.ts';

const closing = closeAfterEach();
let ca: MintedCa;
let responder: OcspResponder;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  responder = await startOcspResponder(ca);
});
afterAll(() => responder.close());

test('a caller is asked about before its first request, and cut over every way in once it is revoked', async () => {
  const [caller, revoked] = [await responder.issue({ cn: 'caller' }), await responder.issue({ cn: 'revoked' })];
  responder.say(revoked, { status: 'revoked' });
  const gateway = await startTlsPostern({
    args: ['--client-ca', 'callers.pem', '--client-auth', 'optional'],
    env: { POSTERN_OCSP: 'callers', LOG_LEVEL: 'debug' },
    files: { 'callers.pem': ca.pem },
  });
  closing.push(() => gateway.close());
  expect(await gateway.echo('nobody')).toBe('nobody');
  await expect(gateway.echo('revoked', revoked)).rejects.toThrow();
  expect(await gateway.process.logged('listener.refused')).toMatchObject({
    subject: 'CN=revoked',
    reason: 'certificate_revoked',
  });

  responder.sayShortly(caller);
  const source = { ...gateway.source, cert: caller.chainPem, key: caller.keyPem };
  const streams = await Promise.all([tickOverSse(source), tickOverHttp2(source), tickOverWebSocket(source)]);
  await Promise.all(streams.map((stream) => stream.more(10)));
  responder.say(caller, { status: 'revoked', thisUpdate: new Date() });
  await Promise.all(streams.map(({ ended }) => ended));
  expect(await gateway.process.logged('listener.cut')).toMatchObject({ why: 'revoked' });
  await expect(gateway.echo('caller', caller)).rejects.toThrow();
});

test('a gateway with revocation ocsp is not registered with a revoked server, and loses one that is revoked later', async () => {
  const names = { cn: 'server', ip: ['127.0.0.1'] };
  const [first, second] = [await responder.issue(names), await responder.issue(names)];
  responder.sayShortly(first);
  const fields = { ca_certificate: ca.pem, revocation: 'ocsp' };
  const servers = await startTwoServers({ first, second, fields });
  closing.push(() => servers.close());
  const view = (await (await servers.gateway.api('GET', '/v1/gateways/up')).json()) as object;
  expect(view).toMatchObject({ revocation: 'ocsp' });
  const { answer } = await servers.hold(servers.first);
  responder.say(first, { status: 'revoked', thisUpdate: new Date() });
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  const [refused] = servers.eventsOf('upstream.refused');
  expect(refused).toMatchObject({ why: 'revoked', origin: new URL(servers.url).origin });
  await expect(servers.call('echo', 'again')).rejects.toThrow(/tls_server_revoked/);
  const registered = await servers.gateway.api('POST', '/v1/gateways', { ...fields, name: 'other', url: servers.url });
  expect(await registered.json()).toMatchObject({ type: 'urn:postern:error:tls_server_revoked' });
});

test('a status the server staples is believed as that of its responder, and no other', async () => {
  const server = await issueStatused(ca, { cn: 'server', ip: ['127.0.0.1'] });
  let stapled: Uint8Array = await ocspResponse(server.certificate, ca);
  const upstream = createServer({ cert: server.chainPem, key: server.keyPem }, (_, response) => response.end('ok'));
  upstream.on('OCSPRequest', (_certificate, _issuer, done: (error: Error | null, response: Buffer) => void) =>
    done(null, Buffer.from(stapled)),
  );
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const gateway = await startGateway();
  closing.push(
    () => gateway.close(),
    () => upstream.close(),
  );
  const url = `https://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
  const code = async () => {
    const fields = { name: 'stapling', url, ca_certificate: ca.pem, revocation: 'ocsp' };
    return ((await (await gateway.api('POST', '/v1/gateways', fields)).json()) as { type: string }).type;
  };
  // it passed: what answers is no MCP server
  expect(await code()).toBe('urn:postern:error:upstream_protocol');
  stapled = await ocspResponse(server.certificate, ca, { status: 'revoked', thisUpdate: new Date() });
  expect(await code()).toBe('urn:postern:error:tls_server_revoked');
});
