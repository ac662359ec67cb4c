/**
 * Under TLS 1.3 a call is on its way before the server has judged our certificate, and may have been read when the
 * connection ends. Through the whole gateway, by every way a call takes, it is sent once and its failure is told.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { bare, modern, openCallers } from '../support/callers.ts';
import type { Callers, CallRoute } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamTls } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';

let tls: McpUpstreamTls;
let otherCa: string;
let upstream: McpUpstream;
let gateway: TestGateway;
let callers: Callers;

/** @param judge where the server looks at client certificates: in the handshake, or only in the application */
async function start(judge: 'handshake' | 'application'): Promise<void> {
  const pki = await mintPki();
  const ca = await pki.ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  const client = await ca.issue({ cn: 'client', eku: 'client' });
  otherCa = (await pki.ca('Other CA')).pem;
  const requireClientCertificate = judge === 'handshake' ? true : 'optional';
  tls = { cert: server.chainPem, key: server.keyPem, ca: ca.pem, minVersion: 'TLSv1.3', requireClientCertificate };
  upstream = await startMcpUpstream({ tls });
  gateway = await startGateway();
  const identity = { client_cert: client.chainPem, client_key: client.keyPem };
  await gateway.register({ name: 'up', url: upstream.url, ca_certificate: ca.pem, ...identity });
  // once the gateway's own stream is open it does not count among the connections of a call
  await upstream.untilListened();
  callers = openCallers(gateway.url, await gateway.token('ann'), 4);
}

afterEach(async () => {
  await callers.close();
  await gateway.close();
  await upstream.close();
});

const ROUTES: readonly (readonly [string, () => CallRoute | Promise<CallRoute>])[] = [
  ['in a session, /mcp', () => callers.session('/mcp', 'up_echo')],
  ['in a session, /servers/up/mcp', () => callers.session('/servers/up/mcp', 'echo')],
  ['without a session, /mcp', () => bare('/mcp', 'up_echo')],
  ['without a session, /servers/up/mcp', () => bare('/servers/up/mcp', 'echo')],
  ['of 2026-07-28, /mcp', () => modern('/mcp', 'up_echo')],
  ['of 2026-07-28, /servers/up/mcp', () => modern('/servers/up/mcp', 'echo')],
];

describe.each(ROUTES)('a call %s', (_what, open) => {
  test('that was read before the connection ended arrived once', async () => {
    await start('application');
    const route = await open();
    upstream.dropConnections();
    // read, then dropped for its certificate: what servers do that judge it in the application
    upstream.intercept = ({ rpcMethod }) => void (rpcMethod === 'tools/call' && upstream.dropConnections());
    await expect(callers.call(route, 'pay')).rejects.toThrow(/"code":"connection_lost"/);
    expect(upstream.requestsOf('tools/call')).toHaveLength(1);
    upstream.intercept = undefined;
    expect(await callers.call(route, 'pay again')).toBe('pay again');
    expect(upstream.requestsOf('tools/call')).toHaveLength(2);
  });

  test('that was refused behind the handshake was written to one connection', async () => {
    await start('handshake');
    const route = await open();
    upstream.replaceTls({ ...tls, ca: otherCa });
    upstream.dropConnections();
    const { connections } = upstream;
    await expect(callers.call(route, 'pay')).rejects.toThrow(/"code":"(connection_lost|tls_client_certificate_\w+)"/);
    expect(upstream.connections - connections).toBe(1);
    expect(upstream.requestsOf('tools/call')).toHaveLength(0);
  });
});
