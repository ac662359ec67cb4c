import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCertsWorkspace, type CertsWorkspace } from '../support/certs-command.ts';

let workspace: CertsWorkspace;

beforeAll(async () => {
  workspace = await openCertsWorkspace();
});

afterAll(() => workspace.remove());

const read = (path: string) => readFile(workspace.path('certs/mcp', path), 'utf8');

/** Listens as a plugin that demands a client certificate, and tells each visitor the name it saw. */
async function listen(name: string, host: string) {
  const server = createServer(
    {
      cert: await read(`plugins/${name}/server.crt`),
      key: await read(`plugins/${name}/server.key`),
      ca: await read(`plugins/${name}/ca.crt`),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      const { subject, subjectaltname } = socket.getPeerCertificate();
      socket.end(subjectaltname ?? String(subject.CN));
    },
  );
  server.on('tlsClientError', () => {});
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

async function visit(options: ConnectionOptions): Promise<string> {
  const socket: TLSSocket = connect(options);
  try {
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  } finally {
    socket.destroy();
  }
}

test.each(['rsa2048', 'ec-p256', 'ed25519'])('a plugin and a gateway with %s keys know each other', async (keyType) => {
  const name = `plugin-${keyType}`;
  for (const command of ['gateway', `server ${name}`, 'client spiffe://example.org/caller'])
    expect((await workspace.run(`${command} --key-type ${keyType}`)).code).toBe(0);
  const server = await listen(name, 'localhost');
  try {
    const { port } = server.address() as AddressInfo;
    const ca = await read('gateway/ca.crt');
    const gateway = { port, ca, cert: await read('gateway/client.crt'), key: await read('gateway/client.key') };
    expect(await visit({ ...gateway, host: 'localhost' })).toBe('mcp-gateway-client');
    expect(await visit({ ...gateway, host: 'localhost', servername: `mcp-plugin-${name}` })).toBe('mcp-gateway-client');
    const bundle = await read('clients/spiffe_example.org_caller/client.pem');
    expect(await visit({ port, ca, cert: bundle, key: bundle, host: 'localhost' })).toBe(
      'URI:spiffe://example.org/caller',
    );
    await expect(visit({ ...gateway, host: 'localhost', servername: 'elsewhere' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect(visit({ port, ca, host: 'localhost' })).rejects.toMatchObject({
      code: expect.stringMatching(/CERTIFICATE_REQUIRED|ECONNRESET/),
    });
  } finally {
    server.close();
  }
});

test('the server certificate is good for the address 127.0.0.1, hostname check on', async () => {
  expect((await workspace.run('server by-address --key-type ec-p256')).code).toBe(0);
  expect((await workspace.run('gateway --key-type ec-p256')).code).toBe(0);
  const server = await listen('by-address', '127.0.0.1');
  try {
    const { port } = server.address() as AddressInfo;
    const identity = {
      ca: await read('gateway/ca.crt'),
      cert: await read('gateway/client.crt'),
      key: await read('gateway/client.key'),
    };
    expect(await visit({ ...identity, port, host: '127.0.0.1' })).toBe('mcp-gateway-client');
  } finally {
    server.close();
  }
});
