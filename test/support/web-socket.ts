import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

export interface SocketClient {
  readonly socket: WebSocket;
  /** Every text so far. */
  readonly texts: string[];
  say(message: unknown): void;
  /** The next message nobody asked for yet, parsed. */
  next(): Promise<Record<string, unknown>>;
  /** How it was closed, once it is. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** An answer that is no upgrade. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Opens a WebSocket as programs do; fails when it is refused. */
export async function openSocket(
  url: string,
  options: ClientOptions = {},
  protocols: readonly string[] = ['mcp'],
): Promise<SocketClient> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], options);
  const texts: string[] = [];
  let read = 0;
  socket.on('message', (data) => void texts.push((data as Buffer).toString()));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return {
    socket,
    texts,
    closed,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: async () => {
      while (texts.length <= read) await new Promise((resolve) => socket.once('message', resolve));
      return JSON.parse(texts[read++] ?? '') as Record<string, unknown>;
    },
  };
}

/** Asks for a WebSocket and expects an answer that refuses it. */
export function refusedSocket(url: string, options: ClientOptions = {}, protocols = ['mcp']): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), protocols, options);
    socket.once('open', () => reject(new Error('the upgrade was not refused')));
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
  });
}
