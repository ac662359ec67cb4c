import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { asked, modernCaller } from '../support/modern-caller.ts';
import type { ModernCaller } from '../support/modern-caller.ts';

let upstream: McpUpstream;
let gateway: TestGateway;
let token: string;

const ASKABLE = { elicitation: {} };
const caller = (capabilities: object = {}): ModernCaller =>
  modernCaller(`${gateway.url}/servers/old/mcp`, token, capabilities);

async function start(transport: 'streamable-http' | 'sse' = 'streamable-http'): Promise<void> {
  upstream = await startMcpUpstream({ era: 'legacy', transport });
  gateway = await startGateway();
  token = await gateway.token('ann');
  await gateway.register({ name: 'old', url: upstream.url });
}
beforeEach(() => start());
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

for (const [name, capabilities, meta] of [
  ['that shares a session', {}, {}],
  ['with a session of its own', ASKABLE, {}],
  ['that hears of progress', {}, { progressToken: 'p' }],
] as const)
  test(`the server is told which call ${name} is over, and stops`, async () => {
    const leaving = new AbortController();
    const call = caller(capabilities).ask('tools/call', { name: 'hold' }, meta, leaving.signal);
    await upstream.untilHeld(1);
    const [sent] = upstream.requestsOf('tools/call').slice(-1);
    leaving.abort();
    await expect(call).rejects.toThrow();
    await until(() => upstream.held === 0);
    await until(() => upstream.requestsOf('notifications/cancelled').length > 0);
    expect(upstream.requestsOf('notifications/cancelled')).toMatchObject([{ params: { requestId: sent?.rpcId } }]);
    expect(gateway.countOf('request.failed')).toBe(0);
  });

test('over HTTP+SSE, where a lost connection says nothing, too', async () => {
  await gateway.close();
  await upstream.close();
  await start('sse');
  const leaving = new AbortController();
  const call = caller().ask('tools/call', { name: 'hold' }, {}, leaving.signal);
  await upstream.untilHeld(1);
  leaving.abort();
  await expect(call).rejects.toThrow();
  await until(() => upstream.held === 0);
});

test('others in the shared session notice nothing', async () => {
  const leaving = new AbortController();
  const [leaver, stayer] = [caller(), caller()];
  const left = leaver.ask('tools/call', { name: 'hold' }, {}, leaving.signal);
  await upstream.untilHeld(1);
  const stayed = stayer.ask('tools/call', { name: 'hold' });
  await upstream.untilHeld(2);
  leaving.abort();
  await expect(left).rejects.toThrow();
  await until(() => upstream.held === 1);
  upstream.release();
  expect((await stayed).answer.result?.content).toEqual([{ type: 'text', text: 'released' }]);
});

test('a session that belonged to a call that was left is not used again, but ended', async () => {
  const shared = upstream.sessions;
  const leaving = new AbortController();
  const call = caller(ASKABLE).ask('tools/call', { name: 'hold' }, {}, leaving.signal);
  await upstream.untilHeld(1);
  expect(upstream.sessions).toBe(shared + 1);
  leaving.abort();
  await expect(call).rejects.toThrow();
  await upstream.untilSessions(shared);
});

test('a retry that is left ends the call it went on with', async () => {
  const ann = caller(ASKABLE);
  const shared = upstream.sessions;
  const { key, requestState } = asked(await ann.ask('tools/call', { name: 'elicit', arguments: { message: 'm' } }));
  const leaving = new AbortController();
  // the server hears the answer, but the caller is gone before it has said anything
  let seen = (): void => undefined;
  const answered = new Promise<void>((resolve) => (seen = resolve));
  upstream.intercept = ({ rpcMethod, rpcId }) => {
    if (rpcMethod !== undefined || rpcId === undefined) return undefined;
    seen();
    return new Promise<undefined>(() => undefined);
  };
  const inputResponses = { [key]: { action: 'accept', content: {} } };
  const retry = ann.ask('tools/call', { name: 'elicit', requestState, inputResponses }, {}, leaving.signal);
  await answered;
  leaving.abort();
  await expect(retry).rejects.toThrow();
  await upstream.untilSessions(shared);
  upstream.intercept = undefined;
});

test('a stop ends the calls that wait for their callers, and every session', async () => {
  const ann = caller(ASKABLE);
  asked(await ann.ask('tools/call', { name: 'elicit', arguments: { message: 'm' } }));
  await ann.ask('tools/call', { name: 'echo', arguments: { text: 'x' } });
  expect(upstream.sessions).toBe(3);
  await gateway.close();
  await upstream.untilSessions(0);
  expect(upstream.requestsOf('notifications/cancelled')).toHaveLength(1);
});
