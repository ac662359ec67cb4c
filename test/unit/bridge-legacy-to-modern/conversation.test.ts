import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Cancellation } from '../../../src/base/cancel-signal.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { conversation } from '../../../src/bridge/legacy-to-modern/conversation.ts';
import { RunningCalls } from '../../../src/bridge/legacy-to-modern/running-calls.ts';
import { ParkedQuestions } from '../../../src/bridge/legacy-to-modern/parked-questions.ts';
import { Mailbox } from '../../../src/session/mailbox.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { textResponse } from '../../../src/upstream/ready-response.ts';
import type { JsonRpcRequest } from '../../../src/wire/json-rpc.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

type Message = Readonly<Record<string, unknown>>;

let clock: ManualClock;
let parked: ParkedQuestions;
let calls: RunningCalls;
let posted: JsonRpcRequest[];
beforeEach(async () => {
  const vault = await mintVault();
  const records = new RecordStore({ storage: openMemory(), sealer: vault, events: () => undefined });
  clock = new ManualClock();
  const mailbox = new Mailbox({ records, vault, clock });
  parked = new ParkedQuestions({ clock, mailbox });
  calls = new RunningCalls(mailbox);
  posted = [];
});

const SESSION = { id: 'session', expiresAtMs: Date.UTC(2026, 1, 1) };
const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { 'content-type': 'text/event-stream' };
const wants = (inputRequests: object | undefined, requestState?: string) => ({
  resultType: 'input_required',
  ...(inputRequests && { inputRequests }),
  ...(requestState !== undefined && { requestState }),
});
const elicit = { method: 'elicitation/create', params: { message: 'who' } };
const roots = { method: 'roots/list' };
const answered = (result: object) => textResponse(200, JSON.stringify({ jsonrpc: '2.0', id: 'x', result }), JSON_TYPE);

/** What the caller gets, message by message; `results` are what the upstream answers round by round. */
function talk(results: readonly (object | GatewayError)[], method = 'tools/call') {
  const request: JsonRpcRequest = { jsonrpc: '2.0', id: 'call', method, params: { name: 'a' } };
  const rest = results.slice(1);
  const events = conversation(
    {
      clock,
      parked,
      client: { capabilities: { elicitation: {}, roots: {} }, info: undefined, logLevel: undefined },
      request,
      running: calls.begin(SESSION, 'call', new Cancellation()),
      session: 'session',
      describe: ({ code, message }) => ({ code: -1, message: `${code}: ${message}` }),
      async post(round) {
        posted.push(round);
        const next = rest.shift();
        if (next instanceof GatewayError) throw next;
        return answered(next ?? {});
      },
    },
    answered(results[0] ?? {}),
  );
  return { next: () => messageIn(events), events };
}

async function messageIn(events: AsyncGenerator<Uint8Array>): Promise<Message | undefined> {
  const { value } = await events.next();
  const text = value ? new TextDecoder().decode(value as Uint8Array) : undefined;
  return text === undefined ? undefined : (JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null') as Message);
}

/** Lets what is under way reach its next wait. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};
const accept = (question: Message | undefined, content: object) =>
  parked.answer('session', { jsonrpc: '2.0', id: String(question?.['id']), result: { action: 'accept', content } });

test('several questions are asked at once, and go back together under their keys', async () => {
  const { next } = talk([wants({ b: roots, a: elicit }, 'opaque'), { content: [] }]);
  const [first, second] = [await next(), await next()];
  expect([first, second]).toMatchObject([
    { method: 'roots/list' },
    { method: 'elicitation/create', params: { message: 'who' } },
  ]);
  expect(first?.['id']).not.toBe(second?.['id']);
  const answer = next();
  await settle();
  await accept(second, { n: 2 });
  await accept(first, { n: 1 });
  expect(await answer).toEqual({ jsonrpc: '2.0', id: 'call', result: { content: [] } });
  expect(posted).toMatchObject([
    {
      id: 'call.1',
      params: {
        name: 'a',
        requestState: 'opaque',
        inputResponses: { a: { content: { n: 2 } }, b: { content: { n: 1 } } },
      },
    },
  ]);
  expect(await next()).toBeUndefined();
  expect(calls.size).toBe(0);
});

test('a page to visit has an id of its own in the legacy era', async () => {
  const page = { method: 'elicitation/create', params: { mode: 'url', url: 'https://example.com', message: 'go' } };
  const request: JsonRpcRequest = { jsonrpc: '2.0', id: 'call', method: 'tools/call' };
  const events = conversation(
    {
      clock,
      parked,
      client: { capabilities: { elicitation: { url: {} } }, info: undefined, logLevel: undefined },
      request,
      running: calls.begin(SESSION, 'call', new Cancellation()),
      session: 'session',
      describe: () => ({ code: -1, message: '' }),
      post: () => Promise.resolve(answered({})),
    },
    answered(wants({ a: page })),
  );
  expect(await messageIn(events)).toMatchObject({
    params: { mode: 'url', url: 'https://example.com', elicitationId: expect.any(String) },
  });
  await events.return(undefined);
});

test('while a person thinks the stream is not silent', async () => {
  const { next, events } = talk([wants({ a: elicit }), { content: [] }]);
  const question = await next();
  const comment = events.next();
  await settle();
  clock.advance(15_000);
  expect(new TextDecoder().decode((await comment).value as Uint8Array)).toBe(':\n\n');
  const answer = next();
  await settle();
  await accept(question, {});
  expect(await answer).toMatchObject({ id: 'call', result: {} });
});

test('a server that only wants to be asked again is, after a pause', async () => {
  const { next } = talk([wants(undefined, 'later'), { content: [] }]);
  const answer = next();
  await settle();
  expect(posted).toEqual([]);
  clock.advance(250);
  expect(await answer).toMatchObject({ id: 'call', result: { content: [] } });
  expect(posted).toMatchObject([{ params: { requestState: 'later' } }]);
  expect(posted[0]?.params).not.toHaveProperty('inputResponses');
});

test('a server that is never content is given up', async () => {
  const { next } = talk(Array.from({ length: 20 }, () => wants(undefined, 'again')));
  const answer = next();
  for (let round = 0; round < 20; round++) {
    await settle();
    clock.advance(250);
  }
  expect(await answer).toMatchObject({ error: { message: expect.stringContaining('upstream_protocol') } });
  expect(posted).toHaveLength(10);
});

test.for([
  ['nothing at all', wants(undefined)],
  ['what the client did not offer', wants({ a: { method: 'sampling/createMessage', params: {} } })],
  ['what is no question', wants({ a: { method: 'tools/call', params: {} } })],
  ['what is no request', wants({ a: 'elicitation/create' })],
  ['too much', wants(Object.fromEntries(Array.from({ length: 65 }, (_, key) => [key, elicit])))],
] as const)('a server that asks for %s is at fault', async ([, result]) => {
  const { next } = talk([result]);
  expect(await next()).toMatchObject({ id: 'call', error: { message: expect.stringContaining('upstream_protocol') } });
  expect(await next()).toBeUndefined();
});

test.for([
  ['tools/call', { result: { isError: true, content: [{ text: expect.stringContaining('error -1: no') }] } }],
  ['prompts/get', { error: { message: expect.stringContaining('question_unanswered') } }],
] as const)('%s: a refusal withdraws the other questions and ends the call', async ([method, expected]) => {
  const { next } = talk([wants({ a: elicit, b: roots })], method);
  const [first, second] = [await next(), await next()];
  const withdrawal = next();
  await settle();
  const error = { code: -1, message: 'no' };
  await parked.answer('session', { jsonrpc: '2.0', id: String(first?.['id']), error });
  expect(await withdrawal).toMatchObject({ method: 'notifications/cancelled', params: { requestId: second?.['id'] } });
  expect(await next()).toMatchObject({ id: 'call', ...expected });
  expect(await next()).toBeUndefined();
  expect(posted).toEqual([]);
  await expect.poll(() => parked.size).toBe(0);
});

test('an upstream that is gone when it gets its answer is an error under the id of the call', async () => {
  const { next } = talk([wants({ a: elicit }), new GatewayError('tcp_refused', 'nobody there')]);
  const question = await next();
  const answer = next();
  await settle();
  await accept(question, {});
  expect(await answer).toEqual({
    jsonrpc: '2.0',
    id: 'call',
    error: { code: -1, message: 'tcp_refused: nobody there' },
  });
});

test('a call that is taken back gets no answer and leaves nothing behind', async () => {
  const { next } = talk([wants({ a: elicit })]);
  await next();
  const end = next();
  await settle();
  await calls.cancel(SESSION, 'call');
  expect(await end).toBeUndefined();
  expect(parked.size).toBe(0);
  expect(calls.size).toBe(0);
});

test('what comes before the answer passes, requests and nonsense do not', async () => {
  const message = (body: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...body })}\n\n`;
  const progress = { method: 'notifications/progress', params: { progress: 1 } };
  const stream = [
    ':\n\n',
    'data: nonsense\n\n',
    message(progress),
    message({ id: 1, method: 'sampling/createMessage' }),
    message({ id: 'x', result: { content: [] } }),
  ];
  const events = conversation(
    {
      clock,
      parked,
      client: { capabilities: {}, info: undefined, logLevel: undefined },
      request: { jsonrpc: '2.0', id: 'call', method: 'tools/call' },
      running: calls.begin(SESSION, 'call', new Cancellation()),
      session: 'session',
      describe: () => ({ code: -1, message: '' }),
      post: () => Promise.reject(new Error('not asked for')),
    },
    textResponse(200, stream.join(''), EVENTS),
  );
  expect(await messageIn(events)).toMatchObject(progress);
  expect(await messageIn(events)).toMatchObject({ id: 'call', result: { content: [] } });
  expect(await messageIn(events)).toBeUndefined();
});
