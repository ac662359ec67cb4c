/** Answers of a gigabyte: what is read whole is refused in time, what is passed on passes, and memory stays as it was. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, openCallers } from '../support/callers.ts';
import type { Callers } from '../support/callers.ts';
import { startFailingServer } from '../support/failing-server.ts';
import type { FailingServer } from '../support/failing-server.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { scaled } from '../support/soak-scale.ts';

const BYTES = scaled(1024 ** 3, 64 * 1024 ** 2);
const READERS = 4;
/** The longest answer that is read whole, for each who reads one, in both of its forms, and room to breathe. */
const GROWTH_BYTES = 256 * 1024 ** 2;

let huge: FailingServer;
let good: PlainMcpServer;
let gateway: TestGateway;
let callers: Callers;
let token: string;
beforeAll(async () => {
  huge = await startFailingServer('huge', BYTES);
  good = await startPlainMcpServer();
  gateway = await startGateway();
  await gateway.register({ name: 'huge', url: huge.url });
  await gateway.register({ name: 'good', url: good.url });
  token = await gateway.token('ann');
  callers = openCallers(gateway.url, token, 4);
  await huge.fail();
});
afterAll(async () => {
  await callers.close();
  await gateway.close();
  await good.close();
  await huge.close();
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Reads an answer as it comes; resolves with the number of its bytes. */
async function readAnswer(): Promise<number> {
  const answer = await fetch(`${gateway.url}/servers/huge/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: META } }),
  });
  const reader = answer.body?.getReader();
  let bytes = 0;
  // the connection stays open after the last byte: the answer says of itself neither how long it is nor that it ended
  while (bytes < BYTES) bytes += (await reader?.read())?.value?.byteLength ?? Number.POSITIVE_INFINITY;
  await reader?.cancel();
  return bytes;
}

test('gigabytes pass, others are called meanwhile, and memory stays bounded', async () => {
  await callers.call(bare('/mcp', 'good_echo'), 'warm');
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const watching = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const reading = new AbortController();
  let calls = 0;
  const calling = (async () => {
    while (!reading.signal.aborted)
      expect(await callers.call(bare('/mcp', 'good_echo'), `${calls}`)).toBe(`${calls++}`);
  })();
  const read = await Promise.all(Array.from({ length: READERS }, readAnswer));
  for (let refused = 0; refused < READERS; refused++) {
    const checked = await gateway.api('POST', '/v1/gateways/huge/check');
    expect(await checked.json()).toMatchObject({ ok: false, error: { code: 'upstream_too_large' } });
  }
  reading.abort();
  await calling;
  clearInterval(watching);
  expect(Math.min(...read)).toBeGreaterThanOrEqual(BYTES);
  expect(calls).toBeGreaterThan(50);
  expect(peak - before).toBeLessThan(GROWTH_BYTES);
});
