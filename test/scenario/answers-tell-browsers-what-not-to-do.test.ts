import { afterEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';

const PROXY = '10.1.2.3';
let gateway: TestGateway;
let token: string;
afterEach(() => gateway.close());

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const proxy = { TRUST_PROXY_AUTH: 'true', POSTERN_TRUSTED_PROXIES: PROXY };
  gateway = await startGateway({ settings: { POSTERN_ALLOWED_HOSTS: 'gw.example', ...proxy, ...settings } });
  token = await gateway.token('ann', 'admin');
}

async function headersOf(
  url: string,
  { address = '192.0.2.1', body = undefined as unknown, ...sent }: Record<string, unknown> & { address?: string } = {},
): Promise<Record<string, string>> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...(sent as object) };
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await gateway.gateway.fetch(new Request(url, init), { connection: { address, chain: [] } });
  await answer.text();
  return { status: String(answer.status), ...Object.fromEntries(answer.headers) };
}

const ALL = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};
const HSTS = 'strict-transport-security';

test('every answer but those of MCP has all of them, whatever its status', async () => {
  await start();
  for (const [path, status, sent] of [
    ['/health', '200'],
    ['/ready', '200'],
    ['/metrics', '200'],
    ['/v1/gateways', '200'],
    ['/gateways', '200'],
    ['/servers', '200'],
    ['/openapi.json', '200'],
    ['/v1/gateways/none', '404'],
    ['/nothing/here', '404'],
    ['/mcp', '401', { authorization: 'Bearer bad' }],
    ['/servers/none/mcp', '404'],
    ['/v1/gateways', '403', { origin: 'https://evil.example' }],
  ] as const)
    expect([path, await headersOf(`http://gw.example${path}`, sent)]).toEqual([
      path,
      expect.objectContaining({ ...ALL, status }),
    ]);
});

test('answers of MCP are taken for nothing else, and are kept by nobody', async () => {
  await start();
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  for (const body of [ping, { ...ping, method: 'tools/list' }, { ...ping, method: 'no/such' }]) {
    const headers = await headersOf('https://gw.example/mcp', { body });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('x-frame-options');
  }
});

test('browsers are held to HTTPS where they came by it, as the proxy says where it is believed', async () => {
  await start();
  const told = async (...asked: Parameters<typeof headersOf>) => (await headersOf(...asked))[HSTS];
  const proto = { 'x-forwarded-proto': 'https' };
  expect(await told('https://gw.example/health')).toBe('max-age=31536000');
  expect(await told('https://gw.example/mcp', { authorization: 'Bearer bad' })).toBe('max-age=31536000');
  expect(await told('http://gw.example/health', { ...proto, address: PROXY })).toBe('max-age=31536000');
  expect(await told('http://gw.example/health', proto)).toBeUndefined();
  expect(await told('http://gw.example/health')).toBeUndefined();
  // it would reach every other program of this machine
  expect(await told('https://localhost/health')).toBeUndefined();
});

test('the switches do what they say', async () => {
  await start({ X_FRAME_OPTIONS: 'sameorigin', HSTS_MAX_AGE: '60' });
  expect(await headersOf('https://gw.example/health')).toMatchObject({
    'x-frame-options': 'SAMEORIGIN',
    'content-security-policy': expect.stringContaining("frame-ancestors 'self'") as unknown,
    [HSTS]: 'max-age=60',
  });
  await gateway.close();
  await start({ HSTS_ENABLED: 'false' });
  expect(await headersOf('https://gw.example/health')).toMatchObject(ALL);
  expect(await headersOf('https://gw.example/health')).not.toHaveProperty(HSTS);
  await gateway.close();
  await start({ SECURITY_HEADERS_ENABLED: 'false' });
  const bare = Object.keys(await headersOf('https://gw.example/health'));
  expect(bare).toEqual(['status', 'cache-control', 'content-type']);
});

test('a page may read how it stands with its limits', async () => {
  await start({ POSTERN_LIMITS: 'subject=1/minute' });
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const headers = await headersOf('http://gw.example/mcp', { body, origin: 'http://gw.example' });
  expect(headers).toMatchObject({
    ratelimit: '"subject";r=0;t=60',
    'access-control-expose-headers': expect.stringContaining('retry-after, ratelimit, ratelimit-policy') as unknown,
  });
});
