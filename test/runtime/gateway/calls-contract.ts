import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postMessage, textOf } from '../../support/mcp-client.ts';
import { startRuntimeGateway } from '../../support/runtime-gateway.ts';
import type { RuntimeGateway, Subject } from '../../support/runtime-gateway.ts';
import { CLIENT, startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { until } from '../../support/until.ts';

const ERAS = ['legacy', 'modern'] as const;

/** What the calls go through, and how a server that demands client certificates is registered with it. */
export interface CalledGateway {
  readonly gateway: Pick<RuntimeGateway, 'url' | 'token' | 'register' | 'asClient' | 'close'>;
  readonly fields: object;
}

/** Official clients of both eras call a server that demands client certificates, through a process of the runtime. */
export function callsContract(subject: Subject): void {
  callsThrough(async ({ fields }) => ({ gateway: await startRuntimeGateway(subject), fields }));
}

/**
 * The same through any gateway.
 *
 * @param erasThatLeave whose callers are noticed when all they do to give up a call is to close their connection
 */
export function callsThrough(
  open: (strict: StrictUpstream) => Promise<CalledGateway>,
  erasThatLeave: readonly string[] = ERAS,
): void {
  let strict: StrictUpstream;
  let gateway: CalledGateway['gateway'];
  beforeAll(async () => {
    strict = await startStrictUpstream();
    const opened = await open(strict);
    ({ gateway } = opened);
    await gateway.register(opened.fields);
    for (const era of ERAS) await gateway.register({ ...opened.fields, name: era, protocol_era: era });
  });
  afterAll(async () => {
    await gateway?.close();
    await strict?.upstream.close();
  });

  describe.each(ERAS)('a client of the %s era', (era) => {
    test('lists and calls, and the server sees our certificate', () =>
      gateway.asClient(era, async (client) => {
        const { tools } = await client.listTools();
        expect(tools.map(({ name }) => name)).toEqual(
          expect.arrayContaining(['up_echo', 'legacy_echo', 'modern_echo']),
        );
        expect(textOf(await client.callTool({ name: 'up_echo', arguments: { text: 'hello' } }))).toBe('hello');
        const [request] = strict.upstream.requestsOf('tools/call').slice(-1);
        expect(request).toMatchObject({ clientSubject: CLIENT, authorized: true, params: { name: 'echo' } });
      }));

    test('is told of progress while the answer is on its way', () =>
      gateway.asClient(era, async (client) => {
        const heard: number[] = [];
        const options = { onprogress: ({ progress }: { progress: number }) => void heard.push(progress) };
        const answer = await client.callTool({ name: 'up_progress', arguments: { steps: 3 } }, options);
        expect([heard, textOf(answer)]).toEqual([[1, 2, 3], '3 steps']);
      }));

    if (erasThatLeave.includes(era))
      test('that gives up ends the call at the server', () =>
        gateway.asClient(era, async (client) => {
          const leaving = new AbortController();
          const args = { text: `held for ${era}` };
          const call = client.callTool({ name: 'up_hold', arguments: args }, { signal: leaving.signal });
          const outcome = expect(call).rejects.toThrow();
          await until(() => strict.upstream.isHolding(args.text));
          leaving.abort();
          await outcome;
          await until(() => !strict.upstream.isHolding(args.text));
        }));

    test.each(['up', ...ERAS])('is asked what a server asks that is registered as %s', (name) =>
      gateway.asClient(era, async (client) => {
        const ask = async (tool: string, args: Record<string, string>) =>
          textOf(await client.callTool({ name: `${name}_${tool}`, arguments: args }));
        expect(await ask('elicit', { message: 'who?' })).toBe('accept: {"name":"Ann"}');
        expect(await ask('sample', { prompt: 'say' })).toBe('sampled: sampled');
      }),
    );
  });

  test('what the server says first arrives before it has ended', async () => {
    const params = { name: 'up_progress', arguments: { steps: 1, ms: 60_000 }, _meta: { progressToken: 'p' } };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    const accept = { accept: 'application/json, text/event-stream' };
    const leaving = new AbortController();
    const answer = await postMessage(`${gateway.url}/mcp`, gateway.token, message, accept, leaving.signal);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('notifications/progress')) heard += (await reader?.read())?.value ?? '';
    leaving.abort();
  });
}
