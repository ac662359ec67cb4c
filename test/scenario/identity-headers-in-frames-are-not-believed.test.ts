/** Who calls cannot be forged in frames of HTTP/2 no client would send; each is sent by a stranger, next door to the proxy. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { rawHttp2 } from '../support/raw-http2.ts';
import type { Fields, RawHttp2Request } from '../support/raw-http2.ts';

const PROXY = '127.0.0.2';
const STRANGER = '127.0.0.1';
const STYLE = 'X-Authenticated-User';
const NAME = `${STYLE}: admin`;
const NAMED = [STYLE.toLowerCase(), 'admin'] as const;
const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'localhost'],
  [':path', '/v1/gateways'],
];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    settings: { TRUST_PROXY_AUTH: 'true', POSTERN_TRUSTED_PROXIES: PROXY, PROXY_USER_HEADER: STYLE },
  });
});
afterAll(() => gateway?.close());

test.each<[string, RawHttp2Request]>([
  ['a pseudo-header', { headers: [...GET, [`:${STYLE.toLowerCase()}`, 'admin']] }],
  ['a pseudo-header behind others', { headers: [...GET, ['accept', 'x'], [':authority', PROXY], NAMED] }],
  ['upper case', { headers: [...GET, [STYLE, 'admin']] }],
  ['underscores', { headers: [...GET, ['x_authenticated_user', 'admin']] }],
  ['a name with a blank', { headers: [...GET, [`${NAMED[0]} `, 'admin']] }],
  ['a name with a colon', { headers: [...GET, [`x-other: a\r\n${NAMED[0]}`, 'admin']] }],
  ['a value with a line break', { headers: [...GET, ['x-other', `a\r\n${NAME}`]] }],
  ['a value with a NUL', { headers: [...GET, [NAMED[0], 'admin\0']] }],
  ['two values', { headers: [...GET, NAMED, NAMED] }],
  ['the header of a connection', { headers: [...GET, ['connection', NAMED[0]], NAMED] }],
  ['trailers', { headers: GET, trailers: [NAMED] }],
  ['a path that holds a request', { headers: [...GET.slice(0, 3), [':path', `/v1/gateways HTTP/1.1\r\n${NAME}`]] }],
  ['two paths', { headers: [...GET, [':path', '/mcp'], NAMED] }],
  ['chunks', { headers: [...GET, ['transfer-encoding', 'chunked'], NAMED] }],
])('%s makes nobody admin', async (_, request) => {
  const { url } = gateway;
  expect(await rawHttp2(url, request, STRANGER)).not.toContain('has role');
});

test('what is sent in pieces is one header: believed of the proxy alone', async () => {
  const { url } = gateway;
  for (const splitAt of [undefined, 1, 40, 60]) {
    const request = { headers: [...GET, NAMED], ...(splitAt !== undefined && { splitAt }) };
    expect(await rawHttp2(url, request, PROXY)).toContain('admin has role user');
    expect(await rawHttp2(url, request, STRANGER)).toContain('met neither');
  }
});
