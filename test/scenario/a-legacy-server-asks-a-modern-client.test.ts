/** What a legacy server asks in the middle of a call is the result of the call; the retry brings the answer. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { asked, modernCaller, told } from '../support/modern-caller.ts';
import type { ModernAnswer, ModernCaller } from '../support/modern-caller.ts';
import { startReplicas } from '../support/replicas.ts';

let upstream: McpUpstream;
let everything: FetchServer;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startMcpUpstream({ era: 'legacy' });
  everything = await startEverything('legacy');
  gateway = await startGateway();
  await gateway.register({ name: 'asking', url: upstream.url });
  await gateway.register({ name: 'everything', url: everything.url });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
  await everything.close();
});

const ASKABLE = { elicitation: {}, sampling: {}, roots: {} };
const callerOf = async (subject: string, capabilities: object = ASKABLE, path = 'asking'): Promise<ModernCaller> =>
  modernCaller(`${gateway.url}/servers/${path}/mcp`, await gateway.token(subject), capabilities);

const ask = (caller: ModernCaller, message = 'who?') =>
  caller.ask('tools/call', { name: 'elicit', arguments: { message } });
const retry = (caller: ModernCaller, answer: ModernAnswer, response: unknown, more: object = {}) => {
  const { key, requestState } = asked(answer);
  return caller.ask('tools/call', { name: 'elicit', requestState, inputResponses: { [key]: response }, ...more });
};
const accept = (name: string) => ({ action: 'accept', content: { name } });

test('a question is a result with a state, and the answer to it the result of the retry', async () => {
  const caller = await callerOf('ann');
  const first = await ask(caller, 'what is your name?');
  expect(first).toMatchObject({
    status: 200,
    answer: {
      id: 'id-1',
      result: { resultType: 'input_required', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'fixture' } } },
    },
  });
  expect(first.answer.result).not.toHaveProperty('ttlMs');
  const { key } = asked(first);
  expect(first.answer.result?.inputRequests?.[key]).toMatchObject({
    method: 'elicitation/create',
    params: { message: 'what is your name?', requestedSchema: { type: 'object' } },
  });
  const second = await retry(caller, first, accept('Ann'));
  expect(second.answer).toMatchObject({ id: 'id-2', result: { resultType: 'complete' } });
  expect(told(second)).toBe('accept: {"name":"Ann"}');
});

test('calls that ask at the same time are never crossed, of one caller or of several', async () => {
  const callers = await Promise.all(['ann', 'ann', 'bob', 'cid'].map((subject) => callerOf(subject)));
  const rounds = callers.flatMap((caller, at) => [0, 1, 2].map((index) => ({ caller, text: `${at}-${index}` })));
  const questions = await Promise.all(rounds.map(({ caller, text }) => ask(caller, text)));
  for (const [index, question] of questions.entries())
    expect(question.answer.result?.inputRequests?.[asked(question).key]).toMatchObject({
      params: { message: rounds[index]?.text },
    });
  const answers = await Promise.all(
    rounds.map(({ caller, text }, index) => retry(caller, questions[index] as ModernAnswer, accept(text))).toReversed(),
  );
  expect(answers.toReversed().map(told)).toEqual(rounds.map(({ text }) => `accept: {"name":"${text}"}`));
});

test('a session that is free again serves the next call of the same subject, and of nobody else', async () => {
  const count = () => upstream.requestsOf('initialize').length;
  const caller = await callerOf('eve');
  const answer = async () => told(await retry(caller, await ask(caller), accept('Eve')));
  await answer();
  const before = count();
  await answer();
  await answer();
  expect(count()).toBe(before);
  const other = await callerOf('fay');
  await retry(other, await ask(other), accept('Fay'));
  expect(count()).toBe(before + 1);
  const declared = upstream.requestsOf('initialize').at(-1)?.params?.['capabilities'];
  expect(declared).toEqual(ASKABLE);
});

test('several questions at once go to the caller together; what it leaves out is asked again', async () => {
  const caller = await callerOf('ann', ASKABLE, 'everything');
  const name = 'test_input_required_result_multiple_inputs';
  const first = (await caller.ask('tools/call', { name })).answer.result;
  const requests = first?.inputRequests ?? {};
  const keyOf = (method: string) => Object.keys(requests).find((key) => requests[key]?.method === method) ?? '';
  const answers = {
    [keyOf('elicitation/create')]: accept('Ann'),
    [keyOf('sampling/createMessage')]: { model: 'm', role: 'assistant', content: { type: 'text', text: 'hi' } },
  };
  expect(Object.keys(requests)).toHaveLength(3);
  const { requestState } = first ?? {};
  const second = await caller.ask('tools/call', { name, requestState, inputResponses: { ...answers, stray: {} } });
  expect(Object.keys(second.answer.result?.inputRequests ?? {})).toEqual([keyOf('roots/list')]);
  const third = await caller.ask('tools/call', {
    name,
    requestState: asked(second).requestState,
    inputResponses: { [asked(second).key]: { roots: [] } },
  });
  expect(told(third)).toBe('all inputs received');
});

test('a prompt may ask as well, round after round', async () => {
  const caller = await callerOf('ann', ASKABLE, 'everything');
  const name = 'test_input_required_result_prompt';
  const first = await caller.ask('prompts/get', { name });
  const { key, requestState } = asked(first);
  const responses = { [key]: { action: 'accept', content: { context: 'tea' } } };
  const second = await caller.ask('prompts/get', { name, requestState, inputResponses: responses });
  expect(JSON.stringify(second.answer.result)).toContain('tea');
});

test('what is no answer is asked again, with the next state', async () => {
  const caller = await callerOf('ann');
  const first = await ask(caller);
  const second = await retry(caller, first, { result: accept('Ann') });
  expect(asked(second).key).toBe(asked(first).key);
  expect(told(await retry(caller, second, accept('Ann')))).toContain('Ann');
});

test('a state of another caller, server, tool or making leads nowhere, and the call still waits', async () => {
  const ann = await callerOf('ann');
  const bob = await callerOf('bob');
  const elsewhere = await callerOf('ann', ASKABLE, 'everything');
  const joined = modernCaller(`${gateway.url}/mcp`, await gateway.token('ann'), ASKABLE);
  const first = await ask(ann);
  const { key, requestState } = asked(first);
  const inputResponses = { [key]: accept('Mallory') };
  const refused = [
    await retry(bob, first, accept('Mallory')),
    await retry(elsewhere, first, accept('Mallory')),
    await joined.ask('tools/call', { name: 'asking_elicit', requestState, inputResponses }),
    await ann.ask('tools/call', { name: 'sample', requestState, inputResponses }),
    await ann.ask('prompts/get', { name: 'elicit', requestState, inputResponses }),
    await ann.ask('tools/call', { name: 'elicit', requestState: `${requestState}x`, inputResponses }),
    await ann.ask('tools/call', { name: 'elicit', requestState: 'made up', inputResponses }),
  ];
  for (const answer of refused)
    expect(answer).toMatchObject({
      status: 400,
      answer: { error: { code: -32602, data: { code: 'request_state_invalid' } } },
    });
  expect(told(await retry(ann, first, accept('Ann')))).toContain('Ann');
  expect((await retry(ann, first, accept('Ann'))).answer.error?.data?.code).toBe('request_state_expired');
});

test('a state that is no text, and answers that are no object, are refused', async () => {
  const caller = await callerOf('ann');
  for (const params of [{ requestState: 1 }, { requestState: {} }, { inputResponses: 1 }, { inputResponses: null }])
    expect(await caller.ask('tools/call', { name: 'elicit', ...params })).toMatchObject({
      status: 400,
      answer: { error: { code: -32602, data: { code: 'request_invalid' } } },
    });
});

test('the retry may arrive at another instance over the same store', async () => {
  const replicas = await startReplicas(2, [{ name: 'asking', url: upstream.url }]);
  const token = await replicas.bearer('ann');
  const [here, there] = replicas.gateways.map(({ url }) => modernCaller(`${url}/servers/asking/mcp`, token, ASKABLE));
  if (!here || !there) throw new Error('two replicas were asked for');
  const first = await ask(here);
  expect(told(await retry(there, first, accept('Ann')))).toContain('Ann');
  expect((await retry(here, first, accept('Ann'))).answer.error?.data?.code).toBe('request_state_expired');
  await replicas.close();
});

test('who declares nothing is asked nothing: the server hears that, and answers as it can', async () => {
  const caller = await callerOf('ann', {});
  const { status, answer } = await ask(caller);
  expect(status).toBe(200);
  expect(answer.result).toMatchObject({ resultType: 'complete', isError: true });
  const half = await callerOf('ann', { sampling: {} });
  expect((await ask(half)).answer.result).toMatchObject({ isError: true });
  const sampling = await half.ask('tools/call', { name: 'sample', arguments: { prompt: 'p' } });
  expect(sampling.answer.result?.inputRequests?.[asked(sampling).key]?.method).toBe('sampling/createMessage');
});

test('progress goes on in the retry, under the token of the retry', async () => {
  const caller = await callerOf('ann');
  const first = await caller.ask('tools/call', { name: 'elicit', arguments: { message: 'm' } }, { progressToken: 'a' });
  const { key, requestState } = asked(first);
  const params = { name: 'elicit', requestState, inputResponses: { [key]: accept('Ann') } };
  const second = await caller.ask('tools/call', params, { progressToken: 'b' });
  expect(told(second)).toContain('Ann');
});
