import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { startMcpUpstream } from './mcp-upstream.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import { startRawServer } from './raw-servers.ts';

/** How a server may fail: what it does to whoever has sent it something. */
export type Fault = 'slow' | 'dead' | 'garbage' | 'huge' | 'headers';

/** An MCP server that is as good as any until it fails. */
export interface FailingServer {
  readonly url: string;
  /** Bytes it has sent since it fails, on the connection where it could send most. */
  readonly sentBytes: number;
  /** Connections that are open since it fails. */
  readonly connections: number;
  /** From now on it fails; connections that are open are cut. */
  fail(): Promise<void>;
  close(): Promise<void>;
}

const BLOCK = Buffer.alloc(64 * 1024, 'a');
const HEADER = Buffer.from(`x-more: ${'a'.repeat(1000)}\r\n`);
const head = (type: string, more = '') => `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}\r\n`;

/** @param endlessBytes how much `huge` sends at most on one connection */
export async function startFailingServer(
  fault: Fault,
  endlessBytes = Number.POSITIVE_INFINITY,
): Promise<FailingServer> {
  const upstream: McpUpstream = await startMcpUpstream();
  const open = new Set<Socket>();
  let isFailing = false;
  let sentBytes = 0;

  /** Sends `block` again and again, as fast as it is taken. */
  const flood = (socket: Socket, block: Buffer): void => {
    while (!socket.destroyed && socket.bytesWritten < endlessBytes) {
      sentBytes = Math.max(sentBytes, socket.bytesWritten);
      if (!socket.write(block)) return void socket.once('drain', () => flood(socket, block));
    }
  };
  const misbehave = (socket: Socket): void => {
    if (fault === 'garbage') socket.end(`${head('text/html', 'connection: close\r\n')}hello`);
    if (fault === 'huge') {
      socket.write(`${head('application/json')}{"jsonrpc":"2.0","id":1,"result":{"endless":"`);
      flood(socket, BLOCK);
    }
    if (fault === 'headers') {
      socket.write('HTTP/1.1 200 OK\r\n');
      flood(socket, HEADER);
    }
  };
  const front = await startRawServer((socket) => {
    open.add(socket.on('close', () => open.delete(socket)));
    if (isFailing) return void socket.once('data', () => misbehave(socket));
    const behind = connect(upstream.port, '127.0.0.1').on('error', () => {});
    socket.pipe(behind).pipe(socket);
    socket.on('close', () => behind.destroy());
  });
  return {
    url: `http://127.0.0.1:${front.port}/mcp`,
    get sentBytes() {
      return sentBytes;
    },
    get connections() {
      return open.size;
    },
    async fail() {
      isFailing = true;
      for (const socket of open) socket.destroy();
      if (fault === 'dead') await front.close();
    },
    async close() {
      if (!(isFailing && fault === 'dead')) await front.close();
      await upstream.close();
    },
  };
}
