import type { AcceptedSocket, MessageSocket } from '../../src/index.ts';
import type { ServerSocket, SocketPair } from './bindings.ts';

/** What may wait for somebody to take it before the peer is told to come again. */
const WAITING_BYTES = 8 * 1024 * 1024;
const UNSUPPORTED_DATA = 1003;
const TOO_BIG = 1009;
const TRY_AGAIN = 1013;

/** Answers a request with a WebSocket, and serves it. */
export function answerSocket(accepted: AcceptedSocket, pair: SocketPair): Response {
  const { subprotocol, maxMessageBytes } = accepted;
  const { 0: theirs, 1: ours } = new pair();
  ours.accept();
  void accepted.serve(messageSocket(ours, maxMessageBytes));
  const headers = subprotocol === undefined ? {} : { 'sec-websocket-protocol': subprotocol };
  // the platform's own member of a ResponseInit
  return new Response(null, { status: 101, headers, webSocket: theirs } as ResponseInit);
}

function messageSocket(socket: ServerSocket, maxMessageBytes: number): MessageSocket {
  const inbox = new Inbox();
  const end = (code: number, reason: string): void => {
    inbox.end();
    socket.close(code, reason);
  };
  socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
    if (typeof data !== 'string') return end(UNSUPPORTED_DATA, 'expected text frames');
    if (data.length > maxMessageBytes) return end(TOO_BIG, 'the message is too large');
    if (inbox.add(data) > WAITING_BYTES) end(TRY_AGAIN, 'too many messages at once');
  });
  socket.addEventListener('close', () => inbox.end());
  socket.addEventListener('error', () => inbox.end());
  return {
    messages: inbox,
    send: async (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: end,
  };
}

/** Messages in their order, until there come no more. */
class Inbox implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** How many characters wait now. */
  add(message: string): number {
    if (!this.#ended) {
      this.#waiting.push(message);
      this.#size += message.length;
      this.#wake?.();
    }
    return this.#size;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        this.#size -= message.length;
        yield message;
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
