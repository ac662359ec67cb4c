import { afterEach, expect, test } from 'vitest';
import { textOf } from '../../support/mcp-client.ts';
import { startRuntimeGateway } from '../../support/runtime-gateway.ts';
import type { RuntimeGateway, Subject } from '../../support/runtime-gateway.ts';
import { isRunning, NODE_ALLOWED, stdioFields } from '../../support/stdio-upstream.ts';
import { until } from '../../support/until.ts';

/** Programs as upstreams. @param allowed the subject, where another permission is needed to start any */
export function programsContract(subject: Subject, allowed: Subject = subject): void {
  let gateway: RuntimeGateway | undefined;
  afterEach(() => gateway?.close());

  test('those of both eras are called, ask, and end with the gateway', async () => {
    gateway = await startRuntimeGateway(allowed, { env: NODE_ALLOWED });
    const pids: number[] = [];
    for (const era of ['legacy', 'modern'] as const) {
      await gateway.register({ ...stdioFields(era), name: era });
      expect(await gateway.call(`${era}_echo`, { text: 'hello' })).toBe('hello');
      const question = { name: `${era}_elicit`, arguments: { message: 'who?' } };
      const answer = await gateway.asClient('legacy', (client) => client.callTool(question));
      expect(textOf(answer)).toBe('accept: {"name":"Ann"}');
      pids.push(Number(/"pid\\":(\d+)/.exec(await gateway.call(`${era}_process`))?.[1]));
    }
    expect(pids.map(isRunning)).toEqual([true, true]);
    expect(await gateway.stop()).toBe(0);
    await until(() => !pids.some(isRunning));
  });

  if (allowed !== subject)
    test('without the permission a registration is refused', async () => {
      gateway = await startRuntimeGateway(subject, { env: NODE_ALLOWED });
      const { status, body } = await gateway.api('POST', '/v1/gateways', { ...stdioFields(), name: 'program' });
      expect([status, body]).toMatchObject([502, { code: 'process_not_started', details: { reason: 'NotCapable' } }]);
    });
}
