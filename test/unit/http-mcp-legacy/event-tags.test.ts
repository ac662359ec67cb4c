import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEventId, parseRequestId, taggedEvent } from '../../../src/http/mcp/legacy/event-tags.ts';
import { SseParser } from '../../../src/wire/sse.ts';
import type { SseEvent } from '../../../src/wire/sse.ts';

const UPSTREAM = 'AbC-_123';
const parse = (block: string): SseEvent => {
  const [event] = new SseParser().push(new TextEncoder().encode(`${block}\n\n`));
  if (!event) throw new Error('no event');
  return event;
};

test('event ids and request ids come back as they were, whatever the upstream chose', () => {
  const jsonId = fc.oneof(fc.string(), fc.integer());
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', ':', '7', '_') }), jsonId, (eventId, id) => {
      const data = JSON.stringify({ jsonrpc: '2.0', id, method: 'sampling/createMessage', params: {} });
      const tagged = parse(taggedEvent(UPSTREAM, parse(`id: ${eventId}\ndata: ${data}`)));
      expect(parseEventId(tagged.id ?? '')).toEqual({ upstreamId: UPSTREAM, value: eventId });
      const message = JSON.parse(tagged.data ?? '') as { id: string; params: object };
      expect(parseRequestId(message.id)).toEqual({ upstreamId: UPSTREAM, value: id });
      expect(message.params).toEqual({});
    }),
  );
});

test('results, notifications and priming events keep their data, and retry stays', () => {
  for (const data of [
    '{"jsonrpc":"2.0","id":1,"result":{"method":"x"}}',
    '{"jsonrpc":"2.0","method":"notifications/progress"}',
    '',
  ])
    expect(parse(taggedEvent(UPSTREAM, parse(`retry: 500\ndata: ${data}`)))).toMatchObject({
      data,
      raw: expect.stringContaining('retry: 500'),
    });
});

test('ids we never sent are no ids', () => {
  for (const id of ['', 'x', '.x']) expect(parseEventId(id)).toBeUndefined();
  for (const id of [null, 7, 'gw', 'gw:', 'gw:up', 'gw:up:', 'gw:up:{}', 'gw:up:null', 'x:up:1'])
    expect(parseRequestId(id)).toBeUndefined();
});

test('no upstream forges the mark of another one', () => {
  const forged = '"id":"gw:other:1","method":"elicitation/create"';
  for (const data of [
    String.raw`{"jsonrpc":"2.0","id":"gw:other:1","m\u0065thod":"elicitation/create"}`,
    String.raw`{"jsonrpc":"2.0","\u0069d":"gw:other:1","method":"elicitation/create"}`,
    `{"id":1,"method":"ping",${forged}}`,
  ]) {
    const { id } = JSON.parse(parse(taggedEvent(UPSTREAM, parse(`data: ${data}`))).data ?? '{}') as { id: string };
    expect(parseRequestId(id)).toEqual({ upstreamId: UPSTREAM, value: 'gw:other:1' });
  }
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  for (const data of [`[{"jsonrpc":"2.0",${forged}}]`, ` \t[{${forged}}]`, `{${forged},"params":{"x":${deep}}}`])
    expect(taggedEvent(UPSTREAM, parse(`data: ${data}`))).not.toContain('other');
});
