import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import type { Client } from '@modelcontextprotocol/client';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { isRunning, NODE_ALLOWED, stdioFields } from '../support/stdio-upstream.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

interface ProcessFacts {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

async function start(fields: object, settings: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const gateway = await startGateway({ settings: { ...NODE_ALLOWED, ...settings } });
  closing.push(() => gateway.close());
  await gateway.register({ name: 'local', ...fields });
  return gateway;
}

async function client(gateway: TestGateway, era: 'legacy' | 'modern', path = '/mcp'): Promise<Client> {
  const connected = await connectClient(gateway.url + path, await gateway.token('ann'), era);
  closing.push(() => connected.close());
  return connected;
}

const call = async (caller: Client, name: string, args: Record<string, unknown> = {}) =>
  textOf(await caller.callTool({ name, arguments: args }));
const factsOf = async (caller: Client): Promise<ProcessFacts> =>
  JSON.parse((await call(caller, 'local_process')) ?? '') as ProcessFacts;

test.each(['legacy', 'modern'] as const)('a %s client lists, calls, reads and is asked', async (era) => {
  const gateway = await start(stdioFields());
  expect(await (await gateway.api('GET', '/v1/gateways/local')).json()).toMatchObject({
    url: null,
    transport: 'STDIO',
    command: process.execPath,
    eras: { legacy: true, modern: true },
    health: { status: 'healthy' },
    tls: null,
  });
  const caller = await client(gateway, era);
  const { tools } = await caller.listTools();
  expect(tools.map(({ name }) => name)).toContain('local_echo');
  expect(await call(caller, 'local_echo', { text: 'hello\nworld \u2028 ü' })).toBe('hello\nworld \u2028 ü');
  const read = await caller.readResource({ uri: 'test://text' });
  expect(read.contents).toMatchObject([{ text: 'static text' }]);
  expect(await call(caller, 'local_elicit', { message: 'who?' })).toBe('accept: {"name":"Ann"}');
  const steps: number[] = [];
  const options = { onprogress: ({ progress }: { progress: number }) => void steps.push(progress) };
  await caller.callTool({ name: 'local_progress', arguments: { steps: 3 } }, options);
  expect(steps).toEqual([1, 2, 3]);
  await expect(caller.callTool({ name: 'local_error', arguments: {} })).rejects.toThrow('broken on purpose');
});

test('behind its own address it is served untouched, also to callers without a session', async () => {
  const gateway = await start(stdioFields());
  for (const era of ['legacy', 'modern'] as const)
    expect(await call(await client(gateway, era, '/servers/local/mcp'), 'echo', { text: era })).toBe(era);
  const message = {
    jsonrpc: '2.0',
    id: 'mine',
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'x' } },
  };
  const answer = await postMessage(`${gateway.url}/servers/local/mcp`, await gateway.token('ann'), message);
  expect(await answer.text()).toContain('"id":"mine"');
});

test.each(['legacy', 'modern'] as const)('a program of the %s era alone is served', async (era) => {
  const gateway = await start(stdioFields(era));
  expect(await (await gateway.api('GET', '/v1/gateways/local')).json()).toMatchObject({
    eras: { legacy: era === 'legacy', modern: era === 'modern' },
  });
  expect(await call(await client(gateway, era), 'local_echo', { text: era })).toBe(era);
});

test.each([
  ['legacy', 'modern'],
  ['modern', 'legacy'],
] as const)('a %s client is served by a program that is %s only', async (era, programs) => {
  const gateway = await start(stdioFields(programs));
  const caller = await client(gateway, era);
  expect(await call(caller, 'local_echo', { text: era })).toBe(era);
  expect(await call(caller, 'local_elicit', { message: 'who?' })).toBe('accept: {"name":"Ann"}');
});

test('each legacy session has a process of its own; modern callers share one and are never crossed', async () => {
  const gateway = await start(stdioFields());
  const [ann, bob] = [await client(gateway, 'legacy'), await client(gateway, 'legacy')];
  const pids = new Set([(await factsOf(ann)).pid, (await factsOf(bob)).pid]);
  expect(pids.size).toBe(2);
  const modern = await Promise.all(Array.from({ length: 4 }, () => client(gateway, 'modern')));
  expect(new Set(await Promise.all(modern.map(async (caller) => (await factsOf(caller)).pid))).size).toBe(1);

  const texts = Array.from({ length: 25 }, (_, index) => String(index));
  const answered = await Promise.all(
    [ann, bob, ...modern].map((caller, who) =>
      Promise.all(texts.map((text) => call(caller, 'local_echo', { text: `${who} ${text}` }))),
    ),
  );
  expect(answered).toEqual([...Array(6).keys()].map((who) => texts.map((text) => `${who} ${text}`)));
});

test('what a program asks reaches the caller whose call it is about, however many there are', async () => {
  const gateway = await start(stdioFields());
  const callers = await Promise.all([0, 1, 2, 3].map((who) => client(gateway, who % 2 === 0 ? 'legacy' : 'modern')));
  for (const [who, caller] of callers.entries())
    caller.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: { name: `${who} was asked: ${params.message}` },
    }));
  const answers = await Promise.all(
    callers.map((caller, who) => call(caller, 'local_elicit', { message: `are you ${who}?` })),
  );
  expect(answers).toEqual([0, 1, 2, 3].map((who) => `accept: {"name":"${who} was asked: are you ${who}?"}`));
});

test('progress under the same token goes to each its own', async () => {
  const gateway = await start(stdioFields());
  const seen = async (steps: number) => {
    const caller = await client(gateway, 'modern');
    const progress: number[] = [];
    await caller.callTool(
      { name: 'local_progress', arguments: { steps } },
      { onprogress: (report) => void progress.push(report.progress) },
    );
    return progress.length;
  };
  // every client begins with the same request id, which is its progress token
  expect(await Promise.all([2, 3, 4].map(seen))).toEqual([2, 3, 4]);
});

test.each(['legacy', 'modern'] as const)('a %s caller that cancels a call ends it in the program', async (era) => {
  const gateway = await start(stdioFields());
  const caller = await client(gateway, era);
  const leaving = new AbortController();
  const held = caller.callTool({ name: 'local_hold', arguments: {} }, { signal: leaving.signal });
  await until(async () => (await call(caller, 'local_held')) === '1');
  leaving.abort();
  await expect(held).rejects.toThrow();
  await until(async () => (await call(caller, 'local_held')) === '0');
});

test('a change of the tools reaches a modern subscription', async () => {
  const gateway = await start(stdioFields('modern'));
  const caller = await client(gateway, 'modern', '/servers/local/mcp');
  const changed = Promise.withResolvers<void>();
  caller.setNotificationHandler('notifications/tools/list_changed', () => changed.resolve());
  const subscription = await caller.listen({ toolsListChanged: true });
  await call(caller, 'change_tools');
  await changed.promise;
  await subscription.close();
});

test('arguments arrive as they are, and the environment has nothing of ours', async () => {
  const hostile = [
    '$(touch /tmp/never)',
    '; rm -rf /',
    '`id`',
    '"quoted"',
    "it's",
    '*',
    '%PATH%',
    'a b',
    '',
    '\\',
    '&& x',
  ];
  process.env['POSTERN_TEST_ONLY'] = 'ours';
  process.env['JWT_TEST_ONLY'] = 'ours';
  closing.push(() => {
    delete process.env['POSTERN_TEST_ONLY'];
    delete process.env['JWT_TEST_ONLY'];
  });
  const gateway = await start({ ...stdioFields('dual', ...hostile), env: { API_TOKEN: 't0ken', EMPTY: '' }, cwd: '/' });
  const { argv, env, cwd } = await factsOf(await client(gateway, 'modern'));
  expect(argv).toEqual(['dual', ...hostile]);
  expect(cwd).toBe('/');
  expect(env).toMatchObject({ API_TOKEN: 't0ken', EMPTY: '', PATH: process.env['PATH'] });
  const allowed = /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|TZ|TMPDIR|LC_\w+|API_TOKEN|EMPTY|__CF\w+)$/;
  expect(Object.keys(env).filter((name) => !allowed.test(name))).toEqual([]);
});

test('a change of the command swaps the process; closing leaves none', async () => {
  const gateway = await start(stdioFields());
  const caller = await client(gateway, 'modern');
  const before = await factsOf(caller);
  const replaced = await gateway.api('PUT', '/v1/gateways/local', { args: [...stdioFields('dual', 'changed').args] });
  expect(replaced.status).toBe(200);
  const after = await factsOf(caller);
  expect(after.argv).toEqual(['dual', 'changed']);
  await until(() => !isRunning(before.pid));
  const session = await factsOf(await client(gateway, 'legacy'));
  expect(isRunning(session.pid)).toBe(true);
  await gateway.close();
  expect([after.pid, session.pid].filter(isRunning)).toEqual([]);
  expect(gateway.countOf('process.started')).toBe(gateway.countOf('process.ended'));
});

test('a session that ends takes its process with it, and one too many is refused by name', async () => {
  const gateway = await start(stdioFields('legacy'), { POSTERN_STDIO_MAX_PROCESSES: '2' });
  const [ann, bob] = [await client(gateway, 'legacy'), await client(gateway, 'legacy')];
  const { pid } = await factsOf(ann);
  await factsOf(bob);
  const refused = await postMessage(`${gateway.url}/servers/local/mcp`, await gateway.token('carl'), {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  });
  expect(await refused.text()).toContain('process_limit_reached');
  expect(await (await gateway.api('GET', '/v1/gateways/local')).json()).toMatchObject({
    health: { status: 'healthy' },
  });
  await (ann.transport as unknown as { terminateSession(): Promise<void> }).terminateSession();
  await until(() => !isRunning(pid));
  expect(await call(await client(gateway, 'legacy'), 'local_echo', { text: 'next' })).toBe('next');
});
