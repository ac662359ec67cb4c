/** What happens to a channel of Workers in workerd: whatever it is, everybody who waits is told. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { startLocalWorkerd } from './local-workerd.ts';
import type { LocalWorkerd } from './local-workerd.ts';

let workerd: LocalWorkerd;
let folder: TempFolder;
let server: Server;
const seen: string[] = [];
let open = 0;

const answer: RequestListener = (request, response) => {
  const path = request.url ?? '';
  seen.push(`${request.method} ${path} ${String(request.headers['x-one'] ?? '')}`);
  open++;
  response.on('close', () => open--);
  if (path === '/silent') return;
  if (path === '/endless')
    return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  if (path === '/short') return void response.end('short');
  if (path === '/large') return void response.end('x'.repeat(50_000));
  if (path === '/empty') return void response.writeHead(204).end();
  if (path === '/moved') return void response.writeHead(307, { location: 'http://elsewhere.test/' }).end();
  if (path === '/packed') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('unpacked'));
  if (path === '/broken') {
    response.writeHead(200, { 'content-length': '1000' }).write('x');
    return void setImmediate(() => response.destroy());
  }
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => response.writeHead(200, { 'x-two': '2' }).end(body));
};

beforeAll(async () => {
  folder = await makeTempFolder();
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const entry = 'test/runtime/workerd/channel-worker.ts';
  const onLog = (): void => undefined;
  workerd = await startLocalWorkerd({ address: '127.0.0.1:0', dataDir: folder.path, texts: {}, entry, onLog });
});
afterAll(async () => {
  await workerd?.kill();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  await folder?.remove();
});

async function story(name: string): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${workerd.port}/${name}?origin=http://127.0.0.1:${port}`);
  const told: unknown = await response.json();
  // nothing is left open at the server, whatever happened
  await until(() => open === 0);
  return told;
}

test.for([
  [
    'destroy',
    {
      count: { connections: 3, requests: 3 },
      again: { connections: 0, requests: 0 },
      rest: ['connection_cut', 'connection_cut', 'connection_cut', 'channel_closed'],
      active: 0,
      closed: true,
    },
  ],
  ['drain', ['channel_closed', 1, 'drain_timeout', 0]],
  ['drainOfWhatEnds', ['short', 0]],
  ['cut', [[], { connections: 1, requests: 1 }, 'connection_cut', false]],
  ['abort', ['call_cancelled', 'call_cancelled', 'call_cancelled', 0]],
  ['cancel', [['none'], 0]],
  ['ends', ['short', 'connection_lost', ['none', 'connection_lost'], 0]],
  ['limits', ['upstream_too_large', 'short', 50_000, 0]],
  ['silent', ['upstream_timeout', true, 0]],
  ['refused', ['request_invalid', 'request_invalid', 0]],
] as const)('%s', async ([name, told]) => {
  expect(await story(name)).toEqual(told);
});

test('what belongs to somebody ends alone', async () => {
  const { port } = server.address() as AddressInfo;
  seen.length = 0;
  const asked = fetch(`http://127.0.0.1:${workerd.port}/end?origin=http://127.0.0.1:${port}`);
  await until(() => seen.length === 2 && open === 1);
  // the one that was left
  server.closeAllConnections();
  expect(await (await asked).json()).toEqual([1, 'connection_cut', 1, 'connection_lost', false]);
});

test('answers are handed on as they are, and none is followed', async () => {
  seen.length = 0;
  expect(await story('answers')).toEqual({
    post: [200, '2', '{"ä":1}'],
    moved: [307, 'http://elsewhere.test/', ''],
    empty: [204, ''],
    packed: [null, null, 'unpacked'],
    active: 0,
  });
  expect(seen).toEqual(['POST /echo?a=b 1', 'GET /moved ', 'GET /empty ', 'GET /packed ']);
});
