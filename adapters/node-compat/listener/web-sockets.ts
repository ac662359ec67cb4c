import { on } from 'node:events';
import { IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { AcceptedSocket, MessageSocket, SocketHandler } from '../../../src/index.ts';
import { hasTooManyHeaders } from './many-headers.ts';

/** Between two pings; a peer that did not answer the last one by then is gone. */
const PING_MS = 30_000;
/** What may wait for a peer before whoever sends has to wait as well. */
const BUFFERED_BYTES = 1024 * 1024;
/** Messages read ahead of whoever takes them. */
const READ_AHEAD = { highWaterMark: 2, lowWaterMark: 1 };
const UNSUPPORTED_DATA = 1003;

/**
 * A request that upgrades to WebSocket only. Java's HTTP client asks for h2c with every first request in plain text;
 * without this, Node would take such a request out of the server's hands once somebody listens for upgrades.
 */
export class UpgradableMessage extends IncomingMessage {
  declare asksForUpgrade: boolean | null;

  get upgrade(): boolean {
    return this.asksForUpgrade === true && /^websocket$/i.test(this.headers.upgrade ?? '');
  }

  set upgrade(asked: boolean | null) {
    this.asksForUpgrade = asked;
  }
}

type AcceptSocket = (request: Request, incoming: IncomingMessage) => ReturnType<SocketHandler>;

/** The WebSockets of one listener. */
export class WebSockets {
  readonly #accept: AcceptSocket;
  readonly #served = new Set<WebSocket>();
  readonly #onIdle: () => void;

  /** @param onIdle called whenever the last one has been served */
  constructor(accept: AcceptSocket, onIdle: () => void) {
    this.#accept = accept;
    this.#onIdle = onIdle;
  }

  /** Those not served to their end. */
  get size(): number {
    return this.#served.size;
  }

  /** Takes a connection over from the HTTP server. */
  readonly upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    this.#upgrade(incoming, socket, head).catch(() => socket.destroy());
  };

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const request = requestOf(incoming);
    const status = hasTooManyHeaders(incoming) ? 431 : 400;
    const accepted = request && status === 400 ? await this.#accept(request, incoming) : new Response(null, { status });
    if (!('serve' in accepted)) return refuse(socket, accepted);
    // loaded with the first one: most gateways never see any, and it would take a tenth of the start
    const { WebSocketServer } = await import('ws');
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: accepted.maxMessageBytes,
      handleProtocols: () => accepted.subprotocol ?? false,
    });
    server.handleUpgrade(incoming, socket, head, (webSocket) => void this.#serve(webSocket, accepted));
  }

  async #serve(webSocket: WebSocket, accepted: AcceptedSocket): Promise<void> {
    this.#served.add(webSocket);
    // ws tells the peer what was wrong with a frame, and closes
    webSocket.on('error', () => undefined);
    keepWatch(webSocket);
    await accepted.serve(messageSocket(webSocket));
    this.#served.delete(webSocket);
    if (this.#served.size === 0) this.#onIdle();
  }
}

function messageSocket(webSocket: WebSocket): MessageSocket {
  const frames = on(webSocket, 'message', { close: ['close'], ...READ_AHEAD }) as AsyncIterable<[RawData, boolean]>;
  return {
    messages: textsOf(webSocket, frames),
    send: (text) =>
      new Promise((resolve) => {
        webSocket.send(text, () => resolve());
        if (webSocket.bufferedAmount < BUFFERED_BYTES) resolve();
      }),
    close: (code, reason) => webSocket.close(code, reason),
  };
}

async function* textsOf(webSocket: WebSocket, frames: AsyncIterable<[RawData, boolean]>): AsyncGenerator<string> {
  try {
    for await (const [data, isBinary] of frames) {
      if (isBinary) return webSocket.close(UNSUPPORTED_DATA, 'expected text frames');
      yield (data as Buffer).toString();
    }
  } catch {
    // a frame that broke the protocol ends the connection
  }
}

/** Notices a peer that is gone without a word. */
function keepWatch(webSocket: WebSocket): void {
  let answered = true;
  webSocket.on('pong', () => (answered = true));
  const timer = setInterval(() => {
    // of a peer that has to wait for us no answer is read
    if (!answered && !webSocket.isPaused) return webSocket.terminate();
    answered = false;
    webSocket.ping();
  }, PING_MS);
  webSocket.once('close', () => clearInterval(timer));
}

/** Undefined when the Host is no host. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http';
  const url = URL.parse(`${scheme}://${incoming.headers.host ?? ''}${incoming.url ?? ''}`);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(incoming.headersDistinct))
    for (const value of values) headers.append(name, value);
  return new Request(url, { headers });
}

async function refuse(socket: Duplex, answer: Response): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer());
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    ...[...answer.headers].map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    'connection: close',
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
}
