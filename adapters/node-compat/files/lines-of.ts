import { createReadStream } from 'node:fs';
import { codeOf, GatewayError } from '../../../src/index.ts';

/** A line of a file, newline excluded; the last one may have none. */
export interface FileLine {
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

const CHUNK_BYTES = 1024 * 1024;
/** A line of audit has some hundred bytes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** The lines of a file as bytes, however large it is. @throws GatewayError file_refused */
export async function* linesOf(path: string): AsyncGenerator<FileLine> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
      const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
        yield { bytes: text.subarray(start, end), isWhole: true };
        start = end + 1;
      }
      rest = Buffer.from(text.subarray(start));
      if (rest.length > MAX_LINE_BYTES) throw refused(path, `holds a line of more than ${MAX_LINE_BYTES} bytes`);
    }
  } catch (error) {
    throw error instanceof GatewayError ? error : refused(path, `cannot be read (${codeOf(error)})`);
  }
  if (rest.length > 0) yield { bytes: rest, isWhole: false };
}

const refused = (path: string, why: string): GatewayError =>
  new GatewayError('file_refused', `${path} ${why}`, { hint: 'check that it is the right file, and who may read it' });
