import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { utf8 } from '../../../src/base/bytes.ts';
import { joinedServer } from '../../../src/catalog/virtual-server.ts';
import { eventsAnswer } from '../../../src/http/mcp/answers.ts';
import { CallAccount } from '../../../src/http/mcp/call-account.ts';
import type { JsonRpcMessage } from '../../../src/wire/json-rpc.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';

const caller = { subject: 'ann', role: 'user', method: 'token' };
const nobody = joinedServer([]);

function begin(message: JsonRpcMessage | undefined, { method = 'POST', path = '/mcp?key=secret' } = {}) {
  const [clock, events] = [new ManualClock(), recordEvents()];
  const request = { method, url: `http://localhost:4444${path}` };
  const account = new CallAccount(caller, request, { clock, events: events.sink });
  if (message) account.asks(message, nobody);
  return { account, clock, told: () => events.of('mcp.answered') };
}
const asking = (method: string, params = {}) => ({ jsonrpc: '2.0', id: 1, method, params }) as const;
const PING = asking('ping');

test('an answer is told of with the time it took, and without the query of its address', () => {
  const { account, clock, told } = begin(asking('tools/call', { name: 'find', arguments: { text: 'secret' } }));
  clock.advance(12);
  const answer = new Response('{}');
  expect(account.answered(answer)).toBe(answer);
  const expected = { caller, path: '/mcp', method: 'tools/call', name: 'find', outcome: 'ok', durationMs: 12 };
  expect(told()).toEqual([{ ...expected, upstream: undefined }]);
});

test.each([
  [asking('resources/read', { uri: 'file:///a' }), 'resources/read', 'file:///a'],
  [
    asking('completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { value: 's' } }),
    'completion/complete',
    'p',
  ],
  [{ jsonrpc: '2.0', method: 'notifications/cancelled' }, 'notifications/cancelled', undefined],
  [{ jsonrpc: '2.0', id: 1, result: { text: 'secret' } }, 'response', undefined],
  [asking('x'.repeat(200)), `${'x'.repeat(128)}…`, undefined],
  [asking('tools/call', { name: 'x'.repeat(600) }), 'tools/call', `${'x'.repeat(512)}…`],
] as const)('what is asked: case %#', (message, method, name) => {
  const { account, told } = begin(message);
  account.answered(new Response());
  expect(told()).toMatchObject([{ method, name, outcome: 'ok' }]);
});

test('a failure is told by its code', () => {
  const { account, told } = begin(undefined);
  account.failed(new GatewayError('forbidden', 'no'));
  account.tell();
  expect(told()).toMatchObject([{ method: 'POST', outcome: 'forbidden' }]);
});

test('a stream is told of when it ends, is left or breaks', async () => {
  const outcomes: unknown[] = [];
  const source = (end: (controller: ReadableStreamDefaultController<Uint8Array>) => void) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (controller.desiredSize === 1) controller.enqueue(utf8('data: 1\n\n'));
        end(controller);
      },
    });
  for (const [end, use] of [
    [(c: ReadableStreamDefaultController) => c.close(), (answer: Response) => answer.text()],
    [() => undefined, (answer: Response) => answer.body?.cancel()],
    [
      (c: ReadableStreamDefaultController) => c.error(new GatewayError('connection_lost', 'gone')),
      (answer: Response) => answer.text().catch(() => undefined),
    ],
  ] as const) {
    const { account, told } = begin(PING);
    const answer = account.answered(eventsAnswer(source(end)));
    expect([answer.status, answer.headers.get('content-type'), told()]).toEqual([200, 'text/event-stream', []]);
    await use(answer);
    outcomes.push(...told().map(({ outcome }) => outcome));
  }
  expect(outcomes).toEqual(['ok', 'call_cancelled', 'connection_lost']);
});

test('a stream without an end is told of when it opens', () => {
  for (const [message, method] of [
    [undefined, 'GET'],
    [asking('subscriptions/listen'), 'POST'],
  ] as const) {
    const { account, told } = begin(message, { method });
    account.answered(eventsAnswer(new ReadableStream()));
    expect(told()).toHaveLength(1);
  }
});
