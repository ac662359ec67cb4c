import type { Server as Http1Server } from 'node:http';
import type { Http2Server } from 'node:http2';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** How every HTTP/2 connection begins; no HTTP/1.1 method starts with PRI. @see https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const PREFACE = Buffer.from('PRI');

/**
 * Listens for connections in plain text, and hands those that begin with the HTTP/2 preface to `http2` (prior
 * knowledge; there is no Upgrade in RFC 9113), the others to `http1`. Neither listens itself: a listening HTTP server of
 * Bun has no sockets to hand on.
 *
 * @param firstByteMs how long a connection may stay silent
 */
export function listenBefore(http1: Http1Server, http2: Http2Server, firstByteMs: number): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  // with which Node's HTTP/1.1 begins and ends to watch the time its connections take
  server.on('listening', () => http1.emit('listening'));
  server.on('close', () => http1.close());
  // Deno closes a connection after its first answer once its server does not listen any more
  Object.defineProperty(http1, 'listening', { get: () => server.listening });
  server.on('connection', (socket: Socket) => {
    let seen: Buffer = Buffer.alloc(0);
    const give = (): void => {
      socket.setTimeout(0);
      socket.off('timeout', drop).off('error', drop).off('data', look).pause();
      socket.unshift(seen);
      if (PREFACE.equals(seen.subarray(0, PREFACE.length))) {
        http2.emit('connection', socket);
        // Bun waits for what was read already
        setImmediate(() => socket.readableLength > 0 && socket.resume());
      } else {
        socket.allowHalfOpen = true;
        http1.emit('connection', socket);
        // at once, Deno would mix up what was read already with what comes
        process.nextTick(() => socket.resume());
      }
    };
    const look = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const mayBeHttp2 = PREFACE.subarray(0, seen.length).equals(seen.subarray(0, PREFACE.length));
      if (!mayBeHttp2 || seen.length >= PREFACE.length) give();
    };
    const drop = (): void => void socket.destroy();
    // HTTP/1.1 may be answered after its sender has ended; a silent or an HTTP/2 connection that has ended is over
    socket.allowHalfOpen = false;
    socket.setTimeout(firstByteMs).on('timeout', drop).on('error', drop).on('data', look);
  });
  return server;
}
