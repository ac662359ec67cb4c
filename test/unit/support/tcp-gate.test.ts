import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../../support/closing.ts';
import { startRawServer } from '../../support/raw-servers.ts';
import { startTcpGate } from '../../support/tcp-gate.ts';
import type { TcpGate } from '../../support/tcp-gate.ts';
import { until } from '../../support/until.ts';

const closing = closeAfterEach();
let gate: TcpGate;
let atServer: Socket[];

beforeEach(async () => {
  atServer = [];
  const echo = await startRawServer((socket) => {
    atServer.push(socket);
    socket.pipe(socket);
  });
  gate = await startTcpGate(echo.port);
  closing.push(
    () => echo.close(),
    () => gate.close(),
  );
});

async function dial(): Promise<Socket> {
  const socket = connect(gate.port, '127.0.0.1').on('error', () => {});
  closing.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

test('an open gate lets everything pass, ends included', async () => {
  const socket = await dial();
  expect(await echoed(socket, 'hello')).toBe('hello');
  expect(gate.connections).toBe(1);
  socket.end();
  await once(socket, 'end');
  await until(() => gate.connections === 0);
  expect(gate.through('redis://:word@localhost:1/2')).toBe(`redis://:word@127.0.0.1:${gate.port}/2`);
});

test('a gate that refuses cuts what stands and takes nothing new, until it is opened', async () => {
  const socket = await dial();
  await echoed(socket, 'hello');
  const cut = once(socket, 'error');
  await gate.shut('refuse');
  expect(await cut).toMatchObject([{ code: 'ECONNRESET' }]);
  await until(() => atServer[0]?.destroyed === true);
  await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await gate.open();
  expect(await echoed(await dial(), 'again')).toBe('again');
  for (let time = 0; time < 2; time++) await gate.shut('refuse');
  await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a gate that swallows keeps connections and passes nothing, until it is opened', async () => {
  const [standing, leaving] = [await dial(), await dial()];
  for (const socket of [standing, leaving]) await echoed(socket, 'hello');
  await gate.shut('swallow');
  const late = await dial();
  const heard: string[] = [];
  for (const socket of [standing, late]) socket.on('data', (chunk) => heard.push(String(chunk)));
  standing.write('standing');
  late.write('late');
  leaving.destroy();
  atServer[0]?.write('from the server');
  // a connection beside the gate: what it echoes was written after what must not pass
  await echoedDirectly();
  expect(heard).toEqual([]);
  expect(atServer.filter(({ destroyed }) => !destroyed)).toHaveLength(2 + 1);
  await gate.open();
  await until(() => heard.length >= 3);
  expect(heard.toSorted()).toEqual(['from the server', 'late', 'standing']);
  await until(() => gate.connections === 2);
});

async function echoedDirectly(): Promise<void> {
  const { localPort } = atServer[0] ?? {};
  const socket = connect(localPort ?? 0, '127.0.0.1');
  closing.push(() => socket.destroy());
  expect(await echoed(socket, 'beside')).toBe('beside');
}
