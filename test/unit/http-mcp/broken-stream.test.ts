import { expect, test } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { withBreakTold } from '../../../src/http/mcp/broken-stream.ts';
import { sseEvents } from '../../../src/wire/sse.ts';

const BROKEN = new GatewayError('connection_lost', 'the upstream closed the connection');

/** A stream that breaks off after its chunks. */
function breaking(...chunks: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) controller.error(BROKEN);
      else controller.enqueue(utf8(chunk));
    },
  });
}

const dataOf = async (stream: ReadableStream<Uint8Array>): Promise<(string | undefined)[]> => {
  const all: (string | undefined)[] = [];
  for await (const { data } of sseEvents(stream)) all.push(data);
  return all;
};

test('a stream that breaks off ends with an error that keeps the id of the request', async () => {
  const [whole, partial, error] = await dataOf(withBreakTold(breaking('data: 1\n\n', 'data: {"half'), 'call-7'));
  expect([whole, partial]).toEqual(['1', '{"half']);
  expect(JSON.parse(error ?? '')).toEqual({
    jsonrpc: '2.0',
    id: 'call-7',
    error: { code: expect.any(Number), message: BROKEN.message, data: { code: 'connection_lost' } },
  });
});

test('one with event ids breaks off as it is, since it can be resumed', async () => {
  await expect(dataOf(withBreakTold(breaking('id: 1\ndata:\n\n', 'data: x\n\n'), 1))).rejects.toBe(BROKEN);
});

test('a caller that leaves ends the source', async () => {
  let reason: unknown;
  const source = new ReadableStream<Uint8Array>({ cancel: (given) => void (reason = given) });
  await withBreakTold(source, 1).cancel('left');
  expect(reason).toBe('left');
});
