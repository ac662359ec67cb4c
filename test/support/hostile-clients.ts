/** A process of its own that has connections open, and more: slow, flooding and oversized requests, as ordered by message. */
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';

/** Where to, and as whom. */
export interface HostileTarget {
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

export type HostileOrder =
  | { readonly do: 'idle'; readonly target: HostileTarget; readonly count: number }
  | { readonly do: 'attack'; readonly target: HostileTarget; readonly each: number };

/** What came of the attack so far; slow ones that were ended, each after how many milliseconds. */
export interface HostileReport {
  readonly slowHeadersEndedMs: readonly number[];
  readonly slowBodies: number;
  readonly floods: number;
  readonly oversized: number;
  /** Statuses of answers, by how often. */
  readonly statuses: Readonly<Record<string, number>>;
}

const HANDSHAKES_AT_ONCE = 32;
const DRIP_MS = 500;
const MIB = Buffer.alloc(1024 * 1024, 120);
const OVERSIZED_MIB = 20;
/** An idle connection has 75 s. */
const ROUND_MS = 45_000;
const TICK_MS = 50;
const HEALTH = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';

const sockets = new Set<TLSSocket>();
const [slowHeadersEndedMs, statuses]: [number[], Record<string, number>] = [[], {}];
const counts = { slowBodies: 0, floods: 0, oversized: 0 };
const silence = new AbortController();
let stopAsking = (): void => undefined;

async function open({ port, ca }: HostileTarget): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
  sockets.add(socket);
  socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  socket.on('data', (chunk: Buffer) => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1', 0, 16))?.[1];
    if (status !== undefined) statuses[status] = (statuses[status] ?? 0) + 1;
  });
  return socket;
}

async function many(count: number, atOnce: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Writes, and waits until the other side takes more or is gone. */
async function write(socket: TLSSocket, bytes: Buffer | string): Promise<boolean> {
  if (socket.destroyed) return false;
  if (!socket.write(bytes))
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off('drain', go).off('close', go);
        resolve();
      };
      socket.on('drain', go).on('close', go);
    });
  return !socket.destroyed;
}

const head = (target: HostileTarget, ...more: readonly string[]): string =>
  [
    'POST /mcp HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `authorization: Bearer ${target.token}`,
    ...more,
    '',
  ].join('\r\n');

/** A connection that writes a byte now and then. */
async function drip(target: HostileTarget, begin: string, onEnd: (livedMs: number) => void): Promise<void> {
  const socket = await open(target);
  const startedMs = performance.now();
  socket.once('close', () => onEnd(performance.now() - startedMs));
  await write(socket, begin);
  while (!silence.signal.aborted && (await write(socket, 'x'))) await pause(DRIP_MS);
}

/** One after the other, as fast as they are answered. */
async function flood(target: HostileTarget): Promise<void> {
  while (!silence.signal.aborted) {
    const socket = await open(target);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    if (
      await write(socket, head(target, ...Array.from({ length: 2000 }, (_, index) => `x-${index}: ${index}`), 'x: 1'))
    )
      await Promise.race([closed, pause(1000)]);
    counts.floods++;
    socket.destroy();
  }
}

async function oversize(target: HostileTarget): Promise<void> {
  while (!silence.signal.aborted) {
    const socket = await open(target);
    await write(socket, `${head(target, `content-length: ${OVERSIZED_MIB * MIB.length}`)}\r\n`);
    for (let sent = 0; sent < OVERSIZED_MIB && !silence.signal.aborted; sent++) if (!(await write(socket, MIB))) break;
    counts.oversized++;
    socket.destroy();
    await pause(100);
  }
}

/** Asks for something on each of them once in a round, one after the other, so that none is closed for being idle. */
function keepAlive(idle: readonly TLSSocket[], count: number): () => void {
  let [next, lastMs] = [0, performance.now()];
  const timer = setInterval(() => {
    // a busy machine is late with its timers
    const nowMs = performance.now();
    const dueCount = Math.ceil((count * (nowMs - lastMs)) / ROUND_MS);
    lastMs = nowMs;
    const due = idle.slice(next, next + dueCount);
    next = next + dueCount < idle.length ? next + dueCount : 0;
    for (const socket of due) void write(socket, HEALTH);
  }, TICK_MS);
  return () => clearInterval(timer);
}

function attack(target: HostileTarget, each: number): void {
  const all = Array.from({ length: each });
  for (const _ of all) {
    void drip(
      target,
      `${head(target)}x-slow: `,
      (livedMs) => silence.signal.aborted || slowHeadersEndedMs.push(livedMs),
    );
    void drip(target, `${head(target, 'content-length: 1000000')}\r\n`, () => undefined);
    counts.slowBodies++;
  }
  for (let index = 0; index < 4; index++) void flood(target);
  for (let index = 0; index < 2; index++) void oversize(target);
}

async function obey(order: HostileOrder): Promise<object> {
  const { target } = order;
  if (order.do === 'attack') {
    attack(target, order.each);
    return {};
  }
  const idle: TLSSocket[] = [];
  stopAsking = keepAlive(idle, order.count);
  await many(order.count, HANDSHAKES_AT_ONCE, async () => {
    const socket = await open(target);
    // one that never asks has no more time than its headers
    await write(socket, HEALTH);
    idle.push(socket);
  });
  return { open: sockets.size };
}

process.on('message', (order: HostileOrder | 'report' | 'stop') => {
  if (order === 'stop') {
    silence.abort();
    stopAsking();
    for (const socket of sockets) socket.destroy();
    process.send?.({});
  } else if (order === 'report') process.send?.({ ...counts, slowHeadersEndedMs, statuses, open: sockets.size });
  else void obey(order).then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit());
