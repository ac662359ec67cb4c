/** What a server wants to know first reaches a client that initialized as requests, and its answers as a retried call. */
import type { Client } from '@modelcontextprotocol/client';
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEverything } from '../support/everything/everything.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, connectClientV1, postMessage, textOf } from '../support/mcp-client.ts';

let upstream: FetchServer;
let gateway: TestGateway;
let token: string;
let url: string;

beforeAll(async () => {
  upstream = await startEverything('modern');
  gateway = await startGateway();
  await gateway.register({ name: 'asking', url: upstream.url });
  token = await gateway.token('ann');
  url = `${gateway.url}/servers/asking/mcp`;
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const roots = { roots: [{ uri: 'file:///home/ann' }] };
const sampled = { model: 'test', role: 'assistant', content: { type: 'text', text: 'Paris' } } as const;
let asked: string[] = [];
const elicited = (message: string) => {
  asked.push(message);
  return { action: 'accept', content: { name: 'Ann', color: 'blue', ok: true } } as const;
};

const generations: Readonly<Record<string, () => Promise<Client | ClientV1>>> = {
  async 'SDK v1'() {
    const client = await connectClientV1(url, token);
    client.setRequestHandler(ListRootsRequestSchema, () => roots);
    client.setRequestHandler(CreateMessageRequestSchema, () => sampled);
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicited(params.message));
    return client;
  },
  async 'SDK v2'() {
    const client = await connectClient(url, token, 'legacy');
    client.setRequestHandler('roots/list', () => roots);
    client.setRequestHandler('sampling/createMessage', () => sampled);
    client.setRequestHandler('elicitation/create', ({ params }) => elicited(params.message));
    return client;
  },
};

for (const [generation, connect] of Object.entries(generations)) {
  test(`${generation}: elicitation, sampling and roots, one by one and all at once`, async () => {
    const client = await connect();
    const call = async (name: string) =>
      textOf(await client.callTool({ name: `test_input_required_result_${name}`, arguments: {} }));
    expect(await call('elicitation')).toBe('Hello, Ann!');
    expect(await call('sampling')).toContain('Paris');
    expect(await call('list_roots')).toBe('roots: file:///home/ann');
    expect(await call('multiple_inputs')).toBe('all inputs received');
    await client.close();
  });

  test(`${generation}: two rounds, the state of the server carried between them as it was`, async () => {
    const client = await connect();
    asked = [];
    const call = async (name: string) =>
      textOf(await client.callTool({ name: `test_input_required_result_${name}`, arguments: {} }));
    expect(await call('multi_round')).toBe('Ann likes blue');
    expect(asked).toEqual(['Step 1: your name?', 'Step 2: your favourite colour?']);
    expect(await call('tampered_state')).toBe('state-ok');
    await client.close();
  });

  test(`${generation}: twenty calls that ask at the same time each get their own answer`, async () => {
    const client = await connect();
    const calls = Array.from({ length: 20 }, async () =>
      textOf(await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} })),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['Ann likes blue']));
    await client.close();
  });
}

test('a client that refuses to answer gets what a tool would have made of it', async () => {
  const client = await connectClientV1(url, token);
  client.setRequestHandler(ListRootsRequestSchema, () => {
    throw new Error('none of your business');
  });
  const result = await client.callTool({ name: 'test_input_required_result_list_roots', arguments: {} });
  expect(result).toMatchObject({ isError: true });
  expect(textOf(result)).toContain('none of your business');
  await client.close();
});

test('a client that offers nothing is asked nothing', async () => {
  const { headers } = await open({});
  const answer = await post(headers, callOf('test_input_required_result_capabilities'));
  expect(await answer.text()).toContain('nothing to ask');
});

const callOf = (name: string) => ({
  jsonrpc: '2.0',
  id: 'call',
  method: 'tools/call',
  params: { name, arguments: {} },
});
const post = (headers: Readonly<Record<string, string>>, message: object) => postMessage(url, token, message, headers);

async function open(capabilities: object) {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'curl', version: '1' } };
  const answer = await postMessage(url, token, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  await answer.arrayBuffer();
  return { headers: { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' } };
}

/** The messages of a stream as they come. */
async function* messagesOf(response: Response): AsyncGenerator<Record<string, unknown>> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield JSON.parse(data) as Record<string, unknown>;
    }
  }
}

test('an answer counts in the session that was asked, once, and under the id it was asked by', async () => {
  const mine = await open({ elicitation: {} });
  const other = await open({ elicitation: {} });
  const messages = messagesOf(await post(mine.headers, callOf('test_input_required_result_elicitation')));
  const { value: question } = await messages.next();
  expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'What is your name?' } });
  const answer = (name: string) => ({
    jsonrpc: '2.0',
    id: (question as { id: string }).id,
    result: { action: 'accept', content: { name } },
  });
  expect((await post(other.headers, answer('Eve'))).status).toBe(400);
  expect((await post(mine.headers, { ...answer('Eve'), id: 'made-up' })).status).toBe(400);
  expect((await post(mine.headers, { ...answer('Eve'), id: 1 })).status).toBe(400);
  expect((await post(mine.headers, answer('Ann'))).status).toBe(202);
  const { value: result } = await messages.next();
  expect(result).toMatchObject({ id: 'call', result: { content: [{ text: 'Hello, Ann!' }] } });
  expect((await messages.next()).done).toBe(true);
});

test('a call that is cancelled while its question is open ends without an answer', async () => {
  const { headers } = await open({ elicitation: {} });
  const messages = messagesOf(await post(headers, callOf('test_input_required_result_elicitation')));
  expect((await messages.next()).value).toMatchObject({ method: 'elicitation/create' });
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'call' } };
  expect((await post(headers, cancelled)).status).toBe(202);
  expect((await messages.next()).done).toBe(true);
});
