import { expect, test } from 'vitest';
import { healthRoutes } from '../../../src/http/health.ts';
import type { HealthDeps } from '../../../src/http/health.ts';

const routes = (deps: Partial<HealthDeps> = {}) =>
  healthRoutes({
    version: '1',
    phase: () => 'serving',
    conditions: () => [],
    rotation: () => ({ serving: 0 }),
    audit: () => undefined,
    ...deps,
  });

test.each([
  ['starting', 503],
  ['serving', 200],
  ['draining', 503],
] as const)('while %s /ready is %i and /health is 200', async (phase, status) => {
  const app = routes({ phase: () => phase });
  expect((await app.request('/ready')).status).toBe(status);
  expect((await app.request('/health')).status).toBe(200);
});

test('/health is 200 and says which upstreams fail, by code', async () => {
  const failing = {
    slug: 'time',
    status: 'failing',
    code: 'tls_server_expired',
    since: '2026-01-01T00:00:00Z',
  } as const;
  const response = await routes({ conditions: () => [failing, { slug: 'ok', status: 'healthy' }] }).request('/health/');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    status: 'degraded',
    version: '1',
    phase: 'serving',
    gateways: 2,
    failing: [failing],
    rotation: { serving: 0 },
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test('/health says which generation serves, and why a newer one does not', async () => {
  const failed = { generation: 17, because: [{ name: 'time', code: 'key_mismatch' }] };
  const answer = await routes({ rotation: () => ({ serving: 16, failed }) }).request('/health');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: 'degraded', rotation: { serving: 16, failed } });
});

test('/health says that the store cannot be read, and stays 200', async () => {
  const storeLostAt = '2026-01-01T00:00:00.000Z';
  const answer = await routes({ rotation: () => ({ serving: 16, storeLostAt }) }).request('/health');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: 'degraded', rotation: { serving: 16, storeLostAt } });
});

test('/health says that records of audit are not kept, and that is no reason to end the process', async () => {
  const audit = { code: 'audit_unavailable', since: '2026-01-01T00:00:00Z' };
  const answer = await routes({ audit: () => audit }).request('/health');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: 'degraded', audit });
});
