import { expect, test } from 'vitest';
import { healthRoutes } from '../../../src/http/health.ts';
import type { HealthDeps } from '../../../src/http/health.ts';

const routes = (deps: Partial<HealthDeps> = {}) =>
  healthRoutes({ version: '1', phase: () => 'serving', conditions: () => [], ...deps });

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
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
});
