import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A client of HTTP/2 with prior knowledge that sends frames by hand, and keeps to no rule. */
export interface FrameClient {
  readonly socket: Socket;
  send(...frames: readonly Buffer[]): void;
  /** Resolves once the other side has ended the connection, with the code it gave for that. */
  readonly ended: Promise<number | undefined>;
  /** Types of the frames that came so far. */
  readonly came: readonly number[];
}

export const FRAME = { headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, continuation: 9 } as const;
/** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.2 */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** GET http / with a host, from the static table. @see https://www.rfc-editor.org/rfc/rfc7541#appendix-A */
export const REQUEST = Buffer.from([0x82, 0x86, 0x84, 0x01, 9, ...Buffer.from('localhost')]);

/** A header field without indexing. */
export const field = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

export function openFrames(port: number): FrameClient {
  const socket = connect(port, '127.0.0.1');
  const came: number[] = [];
  let [seen, code]: [Buffer, number | undefined] = [Buffer.alloc(0), undefined];
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
      const length = 9 + seen.readUIntBE(0, 3);
      came.push(seen[3] ?? 0);
      if (seen[3] === FRAME.goAway) code = seen.readUInt32BE(13);
      seen = seen.subarray(length);
    }
  });
  const ended = new Promise<number | undefined>((resolve) => socket.once('close', () => resolve(code)));
  socket.on('error', () => undefined);
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const send = (...frames: readonly Buffer[]): void => void (socket.destroyed || socket.write(Buffer.concat(frames)));
  send(frame(FRAME.settings, 0, 0));
  return { socket, send, ended, came };
}
