import { connect } from 'node:net';

/** Names and values, written as they are. */
export type Fields = readonly (readonly [name: string, value: string])[];

export interface RawHttp2Request {
  readonly headers: Fields;
  /** Sent after an empty body; none by default. */
  readonly trailers?: Fields;
  /** How many bytes of the headers come in the first frame; all by default. */
  readonly splitAt?: number;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION] = [0, 1, 3, 4, 7, 9];
const [END_STREAM, END_HEADERS, ACK] = [1, 4, 1];

/**
 * What comes back for one HTTP/2 request no client would send: the text of its body, and `reset` or `goaway` where the
 * stream or the connection was ended for it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-4.1
 */
export function rawHttp2(
  url: string,
  { headers, trailers, splitAt }: RawHttp2Request,
  from = '127.0.0.1',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), localAddress: from });
    let [rest, said]: [Buffer, string] = [Buffer.alloc(0), ''];
    const end = (): void => void socket.destroy();
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const [length, type, flags] = [rest.readUIntBE(0, 3), rest.readUInt8(3), rest.readUInt8(4)];
        const payload = rest.subarray(9, 9 + length);
        rest = rest.subarray(9 + length);
        if (type === SETTINGS && flags !== ACK) socket.write(frame(SETTINGS, ACK, 0));
        if (type === DATA) said += payload.toString();
        if (type === RST_STREAM || type === GOAWAY) said += type === GOAWAY ? 'goaway' : 'reset';
        if (type === RST_STREAM || type === GOAWAY || ((type === DATA || type === HEADERS) && flags & END_STREAM))
          end();
      }
    });
    socket.on('error', reject).on('close', () => resolve(said));
    const block = encoded(headers);
    const head = block.subarray(0, splitAt);
    const tail = splitAt === undefined ? undefined : block.subarray(splitAt);
    const ends = trailers ? 0 : END_STREAM;
    socket.write(
      Buffer.concat([
        PREFACE,
        frame(SETTINGS, 0, 0),
        frame(HEADERS, ends | (tail ? 0 : END_HEADERS), 1, head),
        ...(tail ? [frame(CONTINUATION, END_HEADERS, 1, tail)] : []),
        ...(trailers ? [frame(HEADERS, END_STREAM | END_HEADERS, 1, encoded(trailers))] : []),
      ]),
    );
  });
}

function frame(type = 0, flags = 0, stream = 0, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literals that are never indexed, with texts of less than 127 bytes. @see https://www.rfc-editor.org/rfc/rfc7541#section-6.2.3 */
const encoded = (fields: Fields): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0x10]), literal(name), literal(value)]));
const literal = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text, 'latin1')]);
