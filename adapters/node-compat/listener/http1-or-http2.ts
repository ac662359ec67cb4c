import type { Server } from 'node:http';
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';

/** How every HTTP/2 connection begins; no HTTP/1.1 method starts with PRI. @see https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const PREFACE = Buffer.from('PRI');

/**
 * Lets a plain HTTP/1.1 server hand connections that begin with the HTTP/2 preface to `http2` (prior knowledge; there
 * is no Upgrade in RFC 9113). The listening server stays `http1`, whose own time limits keep watching its connections.
 *
 * @param firstByteMs how long a connection may stay silent
 */
export function acceptHttp2(http1: Server, http2: Http2Server, firstByteMs: number): void {
  const [serveHttp1] = http1.listeners('connection');
  http1.removeAllListeners('connection');
  http1.on('connection', (socket: Socket) => {
    let seen: Buffer = Buffer.alloc(0);
    const give = (): void => {
      socket.setTimeout(0);
      socket.off('timeout', drop).off('error', drop).off('data', look).pause();
      socket.unshift(seen);
      if (PREFACE.equals(seen.subarray(0, PREFACE.length))) http2.emit('connection', socket);
      else {
        socket.allowHalfOpen = true;
        serveHttp1?.call(http1, socket);
        socket.resume();
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
}
