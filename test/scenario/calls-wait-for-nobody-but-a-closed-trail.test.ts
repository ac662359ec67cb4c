/** A collector that goes away: open, calls go on and nothing is lost; closed, they are refused until it is back. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

/** Keeps what is posted, or refuses it. */
async function startCollector() {
  const collector = { lines: [] as Record<string, unknown>[], tokens: new Set<unknown>(), isDown: false, url: '' };
  const server = createServer((request, response) => {
    collector.tokens.add(request.headers.authorization);
    void request
      .setEncoding('utf8')
      .toArray()
      .then((chunks) => {
        if (!collector.isDown)
          for (const line of chunks.join('').trimEnd().split('\n'))
            collector.lines.push(JSON.parse(line) as Record<string, unknown>);
        response.writeHead(collector.isDown ? 503 : 204).end();
      });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lines`;
  return collector;
}

test.each(['open', 'closed'])('%s', async (policy) => {
  const collector = await startCollector();
  const gateway = await startGateway({
    settings: { POSTERN_AUDIT: collector.url, POSTERN_AUDIT_FAILURE: policy, POSTERN_AUDIT_TOKEN: 'for-the-collector' },
  });
  closing.push(() => gateway.close());
  const authorization = `Bearer ${await gateway.token('ann')}`;
  const list = () =>
    fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
  const health = async () => (await fetch(`${gateway.url}/health`)).json() as Promise<Record<string, unknown>>;
  const isKept = () => collector.lines.some(({ event }) => event === 'mcp.answered');
  expect((await list()).status).toBe(200);
  await until(isKept);

  collector.isDown = true;
  expect((await list()).status).toBe(200);
  await until(() => gateway.countOf('audit.failed') === 1);
  expect(await health()).toMatchObject({ status: 'degraded', audit: { code: 'audit_unavailable' } });
  expect((await list()).status).toBe(policy === 'open' ? 200 : 503);
  expect((await gateway.api('POST', '/v1/rotation', {})).status).toBe(policy === 'open' ? 202 : 503);
  expect((await gateway.api('GET', '/v1/gateways')).status).toBe(200);
  expect(await (await gateway.api('GET', '/metrics')).text()).toContain('postern_audit_up 0');

  collector.isDown = false;
  await until(() => gateway.countOf('audit.recovered') === 1);
  expect((await list()).status).toBe(200);
  await gateway.close();
  const answered = collector.lines.filter(({ event }) => event === 'mcp.answered');
  expect(answered.length).toBe(policy === 'open' ? 4 : 3);
  expect(collector.lines.map(({ seq }) => seq)).toEqual(collector.lines.map((_, index) => index + 1));
  expect(collector.lines.at(-1)).toMatchObject({ event: 'audit.anchor', end: true });
  expect([...collector.tokens]).toEqual(['Bearer for-the-collector']);
});
