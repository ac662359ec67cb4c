/** Over the wire, from several loopback addresses: guessing from one of them harms nobody else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { rawExchange } from '../support/raw-request.ts';
import { refusedSocket } from '../support/web-socket.ts';

const PROXY = '127.0.0.2';
let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  const settings = { TRUST_PROXY_AUTH: 'true', POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_LIMITS: 'failures=6/hour' };
  gateway = await startGateway({ settings });
  token = await gateway.token('ann', 'admin');
});
afterAll(() => gateway.close());

async function ask(path: string, authorization: string, from: string, headers: readonly string[] = []) {
  const lines = [`GET ${path} HTTP/1.1`, 'host: localhost', 'connection: close', `authorization: ${authorization}`];
  const answer = await rawExchange(gateway.url, [...lines, ...headers, '', ''].join('\r\n'), { from });
  return {
    status: Number(answer.slice(9, 12)),
    retryAfter: /^retry-after: (\d+)/im.exec(answer)?.[1],
    body: answer.slice(answer.indexOf('\r\n\r\n') + 4),
  };
}

const statusOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).status;

test('after some failures at any door, from one address, come refusals that say when to try again', async () => {
  const [from, canary] = ['127.0.0.3', 'Bearer canary-credential'];
  for (const path of ['/mcp', '/v1/gateways', '/metrics', '/sse', '/servers/none/mcp', '/v1/rotation'])
    expect([path, await statusOf(path, canary, from)]).toEqual([path, 401]);
  const slowed = await ask('/mcp', canary, from);
  expect([slowed.status, slowed.retryAfter]).toEqual([429, '600']);
  expect(JSON.parse(slowed.body)).toMatchObject({ code: 'too_many_requests', details: { retryAfterSeconds: 600 } });
  // a password is not looked at any more, good or not
  expect(await statusOf('/v1/gateways', `Basic ${btoa('admin:changeme')}`, from)).toBe(429);
  expect(await statusOf('/v1/gateways', `Bearer ${token}`, from)).toBe(200);
  expect(await statusOf('/mcp', canary, '127.0.0.4')).toBe(401);
  expect(gateway.events.filter(({ name }) => name === 'caller.slowed').map(({ fields }) => fields)).toEqual([
    { address: from, retryInMs: expect.any(Number) as unknown },
  ]);
  expect(JSON.stringify(gateway.events)).not.toContain('canary');
  const metrics = await (await gateway.api('GET', '/metrics')).text();
  expect(metrics).toContain('postern_callers_slowed_total 1');
});

test('behind a trusted proxy callers are told apart, and nobody else can say where he is', async () => {
  const bad = 'Bearer bad';
  for (let count = 0; count < 6; count++)
    expect(await statusOf('/mcp', bad, PROXY, ['x-forwarded-for: 198.51.100.1'])).toBe(401);
  expect(await statusOf('/mcp', bad, PROXY, ['x-forwarded-for: 203.0.113.9, 198.51.100.1'])).toBe(429);
  expect(await statusOf('/mcp', bad, PROXY, ['x-forwarded-for: 198.51.100.1', 'x-forwarded-for: 203.0.113.9'])).toBe(
    401,
  );
  const outcomes: number[] = [];
  for (let count = 0; count < 7; count++)
    outcomes.push(await statusOf('/mcp', bad, '127.0.0.5', [`x-forwarded-for: 203.0.113.${count + 20}`]));
  expect(outcomes).toEqual([401, 401, 401, 401, 401, 401, 429]);
});

test('a WebSocket is a door as well', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 7; count++) {
    const { status, headers } = await refusedSocket(`${gateway.url}/ws`, {}, ['mcp', 'bearer.forged']);
    statuses.push(status);
    if (status === 429) expect(headers['retry-after']).toBe('600');
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429]);
});
