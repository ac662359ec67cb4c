import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { SSE_COMMENT, SseParser, pickEvent, sseEvents, sseMessage, type SseEvent } from '../../../src/wire/sse.ts';

const parse = (...chunks: (string | Uint8Array)[]): SseEvent[] => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(typeof chunk === 'string' ? utf8(chunk) : chunk));
};

test('fields, comments and blocks without data', () => {
  expect(parse('event: message\nid: 7\ndata: {"a":1}\n\n', 'id: 8\ndata:\n\n', ': ping\n\n', '\n\n')).toEqual([
    { event: 'message', id: '7', data: '{"a":1}', raw: 'event: message\nid: 7\ndata: {"a":1}' },
    { event: undefined, id: '8', data: '', raw: 'id: 8\ndata:' },
    { event: undefined, id: undefined, data: undefined, raw: ': ping' },
  ]);
});

test('several data lines join with LF, one leading space is dropped, fields may come without a colon', () => {
  expect(parse('data: a\ndata:  b\ndata\n\n')[0]?.data).toBe('a\n b\n');
});

test('an unfinished block is no event, a byte order mark is no field', () => {
  expect(parse('\uFEFFdata: a\n\ndata: b\n')).toEqual([expect.objectContaining({ data: 'a' })]);
});

test('a block ends with its last CR, not with the byte after it', () => {
  expect(parse('data: a\r\r')).toHaveLength(1);
  expect(parse('data: a\r\n\r', '\ndata: b\r\n\r\n').map(({ data }) => data)).toEqual(['a', 'b']);
});

test('a block above the limit is refused, also while it is unfinished', () => {
  expect(() => new SseParser(10).push(utf8('data: 0123456789'))).toThrow(
    expect.objectContaining({ code: 'upstream_too_large' }),
  );
  expect(() => new SseParser(10).push(utf8('data: 0\ndata: 1\ndata: 2\n'))).toThrow(
    expect.objectContaining({ code: 'upstream_too_large' }),
  );
  const parser = new SseParser(10);
  for (let round = 0; round < 5; round++) expect(parser.push(utf8('data: 01\n\n'))).toHaveLength(1);
});

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
const event = fc.record({
  event: fc.option(line, { nil: undefined }),
  id: fc.option(line, { nil: undefined }),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
});
const newline = fc.constantFrom('\n', '\r\n', '\r');

test('any split into chunks yields the same events', () => {
  fc.assert(
    fc.property(fc.array(event), newline, fc.array(fc.nat({ max: 40 })), (events, end, sizes) => {
      const blocks = events.map(({ event, id, data }) => {
        const fields = [
          ...(event === undefined ? [] : [`event: ${event}`]),
          ...(id === undefined ? [] : [`id: ${id}`]),
        ];
        return [...fields, ...data.map((value) => `data: ${value}`), '', ''].join(end);
      });
      const bytes = utf8(blocks.join(''));
      const chunks: Uint8Array[] = [];
      let start = 0;
      for (const size of sizes) {
        chunks.push(bytes.subarray(start, start + size));
        start += size;
      }
      chunks.push(bytes.subarray(start));
      expect(parse(...chunks).map(({ event, id, data }) => ({ event, id, data }))).toEqual(
        events.map(({ event, id, data }) => ({ event, id, data: data.join('\n') })),
      );
    }),
  );
});

test('what sseMessage writes is read back, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const [read] = parse(sseMessage(text, '1'), SSE_COMMENT);
      expect(read).toMatchObject({ event: 'message', id: '1', data: text.replaceAll(/\r\n?/g, '\n') });
    }),
  );
});

test('time grows with the size of an event, not with its square', () => {
  const timeOf = (chunks: number): number => {
    const chunk = utf8('x'.repeat(1024));
    const parser = new SseParser();
    const startedMs = performance.now();
    parser.push(utf8('data: '));
    for (let index = 0; index < chunks; index++) parser.push(chunk);
    expect(parser.push(utf8('\n\n'))[0]?.data).toHaveLength(chunks * 1024);
    return performance.now() - startedMs;
  };
  timeOf(500);
  const small = timeOf(1000);
  expect(timeOf(8000)).toBeLessThan(Math.max(8 * small * 4, 200));
});

test('reading stops where the consumer stops, and the stream is cancelled', async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(sseMessage('{}')),
    cancel: () => resolve(),
  });
  for await (const { data } of sseEvents(stream)) {
    expect(data).toBe('{}');
    break;
  }
  await cancelled;
});

test('a picked event does not cancel its stream, so that the connection stays usable', async () => {
  let cancelled = false;
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (writer = controller),
    cancel: () => void (cancelled = true),
  });
  writer?.enqueue(sseMessage('1'));
  writer?.enqueue(sseMessage('2'));
  expect(await pickEvent(stream, ({ data }) => (data === '2' ? data : undefined))).toBe('2');
  writer?.close();
  expect(cancelled).toBe(false);
});

test('a stream that goes on after the picked event is cancelled, one that ends without it picks nothing', async () => {
  const cancelled = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(sseMessage('1')),
    cancel: () => cancelled.resolve(),
  });
  expect(await pickEvent(endless, ({ data }) => data)).toBe('1');
  await cancelled.promise;
  const ended = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  expect(await pickEvent(ended, ({ data }) => data)).toBeUndefined();
});
