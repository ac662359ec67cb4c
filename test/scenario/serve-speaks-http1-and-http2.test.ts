import { once } from 'node:events';
import { Agent, get, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { Agent as SecureAgent, get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { RUNTIME } from '#runtime';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import type { Listener, ListenerOptions } from '../../adapters/node-compat/listener/listener.ts';
import { listenerIdentity } from '../support/listener-identity.ts';
import { mintPki } from '../support/pki.ts';

const closing = closeAfterEach();

async function listen(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const echo = async (request: Request) => {
    const body = request.method === 'POST' ? await request.text() : '';
    return new Response(`${request.method} ${new URL(request.url).pathname} ${body}`, {
      headers: { 'content-type': 'text/plain' },
    });
  };
  const listener = await openListener(RUNTIME, { host: '127.0.0.1', port: 0, fetch: echo, ...options });
  closing.push(() => listener.close(0));
  return listener;
}

async function post(session: ClientHttp2Session, path: string, body: string): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': path });
  stream.end(body);
  stream.setEncoding('utf8');
  return (await stream.toArray()).join('');
}

async function textOf(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function openHttp2(url: string, options = {}): ClientHttp2Session {
  const session = connectHttp2(url, options);
  session.on('error', () => undefined);
  closing.push(() => session.destroy());
  return session;
}

async function minted() {
  const ca = await (await mintPki()).ca('listener CA');
  const identity = listenerIdentity(await ca.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' }));
  return { ca, identity };
}

test('a plain listener answers HTTP/1.1 and HTTP/2 with prior knowledge on one port', async () => {
  const { port } = await listen();
  const answer = await fetch(`http://127.0.0.1:${port}/one`, { method: 'POST', body: 'first' });
  expect(await answer.text()).toBe('POST /one first');
  const session = openHttp2(`http://127.0.0.1:${port}`);
  expect(await post(session, '/two', 'second')).toBe('POST /two second');
  expect(await post(session, '/three', 'x'.repeat(300_000))).toBe(`POST /three ${'x'.repeat(300_000)}`);
});

test('a connection whose first bytes come one by one is understood', async () => {
  const { port } = await listen();
  const socket = connect(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  socket.setNoDelay(true);
  await once(socket, 'connect');
  for (const byte of 'PUT /slow HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n') {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toContain('PUT /slow');
});

test('keep-alive connections are used again', async () => {
  const { port } = await listen();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closing.push(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (const path of ['/a', '/b', '/c']) {
    const request = get({ port, path, agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    ports.add(response.socket.localPort);
    expect(await textOf(response)).toBe(`GET ${path} `);
  }
  expect(ports.size).toBe(1);
});

test('a TLS listener speaks HTTP/2 and HTTP/1.1 by ALPN, and presents a new certificate without losing connections', async () => {
  const { ca, identity } = await minted();
  const listener = await listen({ identity });
  const url = `https://localhost:${listener.port}`;
  const session = openHttp2(url, { ca: ca.pem, family: 4 });
  expect(await post(session, '/h2', 'x')).toBe('POST /h2 x');
  const request = httpsGet(`${url}/h1`, { ca: ca.pem, family: 4 });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect([response.httpVersion, await textOf(response)]).toEqual(['1.1', 'GET /h1 ']);

  const renewed = await minted();
  expect(await listener.present(renewed.identity)).toBe(0);
  const socket = connectTls({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca: renewed.ca.pem });
  closing.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  expect(socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
    renewed.identity.facts.sha256,
  );
  expect(await post(session, '/still', 'y')).toBe('POST /still y');
  expect(await post(openHttp2(url, { ca: renewed.ca.pem, family: 4 }), '/new', 'z')).toBe('POST /new z');
});

test('closing lets a call in flight finish, over HTTP/1.1 and HTTP/2', async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let count = 0;
  const listener = await listen({
    fetch: async () => {
      if (++count === 2) started.resolve();
      await gate.promise;
      return new Response('done');
    },
  });
  const first = fetch(`http://127.0.0.1:${listener.port}/slow`);
  const second = post(openHttp2(`http://127.0.0.1:${listener.port}`), '/slow', '');
  await started.promise;
  const closed = listener.close(20_000);
  expect(listener.inFlight).toBe(2);
  await expect(fetch(`http://127.0.0.1:${listener.port}/late`)).rejects.toThrow();
  gate.resolve();
  expect(await (await first).text()).toBe('done');
  expect(await second).toBe('done');
  expect(await closed).toBe(0);
});

test.each(['http', 'https'] as const)(
  'closing waits for an answer that was written and has not left yet, over %s',
  async (scheme) => {
    const { ca, identity } = await minted();
    const body = 'x'.repeat(16 * 1024 * 1024);
    const listener = await listen({ fetch: async () => new Response(body), ...(scheme === 'https' && { identity }) });
    const url = `${scheme}://localhost:${listener.port}/`;
    const agent = scheme === 'https' ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
    closing.push(() => agent.destroy());
    const request = (scheme === 'https' ? httpsGet : get)(url, { agent, ca: ca.pem, family: 4 });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const closed = listener.close(20_000);
    expect((await textOf(response)).length).toBe(body.length);
    expect(await closed).toBe(0);
  },
);

test('what comes when everything was answered is not begun, as nobody could answer it', async () => {
  const asked: string[] = [];
  const listener = await listen({
    fetch: async (request) => {
      asked.push(request.url);
      return new Response('');
    },
  });
  // a peer over HTTP/2 that does not hear that it is to go holds up the end for a moment
  const deaf = connect(listener.port, '127.0.0.1');
  const silent = connect(listener.port, '127.0.0.1');
  closing.push(
    () => deaf.destroy(),
    () => silent.destroy(),
  );
  deaf.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  await Promise.all([once(deaf, 'data'), once(silent, 'connect')]);
  const over = once(silent.resume(), 'close');
  const closed = listener.close(20_000);
  silent.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await over;
  expect(await closed).toBe(0);
  expect(asked).toEqual([]);
});

test('closing gives up a peer that takes no answer', async () => {
  const body = 'x'.repeat(16 * 1024 * 1024);
  const listener = await listen({ fetch: async () => new Response(body) });
  const request = httpRequest({ port: listener.port }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined).pause();
  expect(await listener.close(50)).toBe(1);
});

test('closing cuts what does not end in time, also a caller who does not read, and says how much', async () => {
  const endless = () => {
    const chunk = new Uint8Array(256 * 1024);
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
  };
  const listener = await listen({ fetch: endless });
  const request = httpRequest({ port: listener.port, path: '/stream' }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const aborted = new Promise((resolve) => response.once('error', resolve));
  response.pause();
  expect(await listener.close(50)).toBe(1);
  response.resume();
  expect(await aborted).toMatchObject({ code: 'ECONNRESET' });
});
