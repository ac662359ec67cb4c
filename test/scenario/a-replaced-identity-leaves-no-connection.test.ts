import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

let ca: MintedCa;
let first: MintedCertificate;
let second: MintedCertificate;
let server: Server;
let gateway: TestGateway;
/** Connections that are open, and which of our certificates each came with. */
const open = new Map<TLSSocket, string>();
const resumed: boolean[] = [];

beforeEach(async () => {
  const pki = await mintPki();
  ca = await pki.ca('CA');
  const own = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  first = await ca.issue({ cn: 'first' });
  second = await ca.issue({ cn: 'second' });
  resumed.length = 0;
  server = createServer({ cert: own.chainPem, key: own.keyPem, ca: ca.pem, requestCert: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
      const result = { protocolVersion: '2025-11-25', capabilities: {} };
      const body = { jsonrpc: '2.0', id: message.id, ...(message.method === 'initialize' ? { result } : NOT_FOUND) };
      // a server that would keep the connection for ten minutes
      response.writeHead(200, { 'content-type': 'application/json', 'keep-alive': 'timeout=600' });
      response.end(message.id === undefined ? '' : JSON.stringify(body));
    });
  });
  server.keepAliveTimeout = 600_000;
  server.on('secureConnection', (socket: TLSSocket) => {
    resumed.push(socket.isSessionReused());
    open.set(socket, String(socket.getPeerCertificate().subject.CN));
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  gateway = await startGateway();
  await gateway.register({ name: 'up', url: urlOf(server), ca_certificate: ca.pem, ...pairOf(first) });
});
afterEach(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

const NOT_FOUND = { error: { code: -32601, message: 'method not found' } };
const urlOf = (listening: Server) => `https://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`;
const pairOf = ({ chainPem, keyPem }: MintedCertificate) => ({ client_cert: chainPem, client_key: keyPem });
const openWith = (name: string) => [...open].filter(([, subject]) => subject === name).map(([socket]) => socket);
const allClosed = (sockets: readonly TLSSocket[]) => Promise.all(sockets.map((socket) => once(socket, 'close')));

test('connections of an identity that was replaced are closed, and do not come back with it', async () => {
  const old = openWith('first');
  expect(old.length).toBeGreaterThan(0);
  const closed = allClosed(old);
  expect((await gateway.api('PUT', '/v1/gateways/up', pairOf(second))).status).toBe(200);
  await closed;
  expect(openWith('second').length).toBeGreaterThan(0);

  resumed.length = 0;
  expect((await gateway.api('PUT', '/v1/gateways/up', pairOf(first))).status).toBe(200);
  // a session of the time before would be the handshake of a withdrawn generation
  expect(resumed[0]).toBe(false);
});

test.each([
  ['taken out of service', 'POST', '/v1/gateways/up/state?activate=false'],
  ['removed', 'DELETE', '/v1/gateways/up'],
])('a gateway that was %s has no connection', async (_what, method, path) => {
  const closed = allClosed(openWith('first'));
  expect((await gateway.api(method, path)).status).toBe(200);
  await closed;
  expect(open.size).toBe(0);
});

test('a change that leaves the identity as it was leaves its connections', async () => {
  const before = openWith('first');
  const headers = { auth_type: 'authheaders', auth_headers: [{ key: 'x-key', value: 'v' }] };
  expect((await gateway.api('PUT', '/v1/gateways/up', headers)).status).toBe(200);
  expect(openWith('first')).toEqual(expect.arrayContaining(before));
});
