import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../../support/gateway.ts';
import type { TestGateway } from '../../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
  for (const name of ['one', 'two', 'three'])
    await gateway.api('POST', '/v1/gateways?connect=false', {
      name,
      url: 'http://127.0.0.1:9/mcp',
      tags: [name, 'all'],
    });
});
afterAll(() => gateway.close());

const problem = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
};
const names = (list: unknown) => (list as { name: string }[]).map(({ name }) => name);
const list = async (query: string) => names(await (await gateway.api('GET', `/v1/gateways${query}`)).json());

test('a problem carries the RFC 9457 members, code and message', async () => {
  const response = await gateway.api('GET', '/v1/gateways/nobody');
  expect(response.status).toBe(404);
  expect(await problem(response)).toEqual({
    type: 'urn:postern:error:not_found',
    title: 'not found',
    status: 404,
    detail: 'no gateway has this id or slug',
    code: 'not_found',
    message: 'no gateway has this id or slug',
    stage: 'request',
    retryable: false,
    hint: 'GET /v1/gateways lists them',
  });
});

test('only an admin gets in', async () => {
  const user = { authorization: `Bearer ${await gateway.token('somebody')}` };
  expect((await gateway.api('GET', '/v1/gateways', undefined, user)).status).toBe(403);
  const anonymous = await fetch(`${gateway.url}/v1/gateways`);
  expect(anonymous.status).toBe(401);
  expect(anonymous.headers.get('www-authenticate')).toContain('Bearer');
});

test('a body must be JSON by its type, its text and its size', async () => {
  const authorization = `Bearer ${await gateway.token('operator', 'admin')}`;
  const post = (body: string, type: string) =>
    fetch(`${gateway.url}/v1/gateways`, { method: 'POST', headers: { authorization, 'content-type': type }, body });
  expect((await problem(await post('{}', 'text/plain')))['code']).toBe('media_type_unsupported');
  expect((await post('{}', 'application/jsonx')).status).toBe(415);
  expect((await post('{}', 'application/json; charset=utf-8')).status).toBe(400);
  expect((await post('{', 'application/json')).status).toBe(400);
  expect((await post('', 'application/json')).status).toBe(400);
  expect((await post('[]', 'application/json')).status).toBe(400);
  expect((await post('['.repeat(100_000), 'application/json')).status).toBe(400);
  expect((await post(JSON.stringify('x'.repeat(3_000_000)), 'application/json')).status).toBe(413);
});

test('a refused body is not repeated', async () => {
  const response = await gateway.api('POST', '/v1/gateways', {
    name: 7,
    client_key: 'canary',
    colour: 'canary',
    url: { canary: 1 },
  });
  expect(await response.text()).not.toContain('canary');
});

test('other methods are refused with those there are', async () => {
  const response = await gateway.api('PATCH', '/v1/gateways/one', {});
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, PUT, DELETE');
  expect((await gateway.api('GET', '/gateways/one/check')).headers.get('allow')).toBe('POST');
});

test('a name, a slug and a prefix can be taken', async () => {
  for (const fields of [{ name: 'one' }, { name: 'One!' }, { name: 'other', prefix: 'one_' }]) {
    const response = await gateway.api('POST', '/v1/gateways?connect=false', { url: 'http://127.0.0.1:9/', ...fields });
    expect(response.status).toBe(409);
    expect((await problem(response))['code']).toBe('name_taken');
  }
});

describe('lists', () => {
  test('are in the order of registration and narrowed down by the query', async () => {
    expect(await list('')).toEqual(['one', 'two', 'three']);
    expect(await list('?tags=two,three')).toEqual(['two', 'three']);
    expect(await list('?visibility=private')).toEqual([]);
    expect(await list('?team_id=x')).toEqual([]);
  });

  test('leave out what is inactive unless asked', async () => {
    await gateway.api('POST', '/v1/gateways/two/state?activate=false');
    expect(await list('')).toEqual(['one', 'three']);
    expect(await list('?include_inactive=True')).toEqual(['one', 'two', 'three']);
  });

  test('come in pages', async () => {
    const pages: string[][] = [];
    for (let cursor = ''; ;) {
      const query = `?include_inactive=1&include_pagination=true&limit=2${cursor && `&cursor=${cursor}`}`;
      const page = (await (await gateway.api('GET', `/gateways${query}`)).json()) as {
        gateways: [];
        nextCursor: string | null;
      };
      pages.push(names(page.gateways));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([['one', 'two'], ['three']]);
  });

  test.each([
    'limit=0',
    'limit=abc',
    'limit=1.5',
    'limit=99999999999',
    'include_inactive=maybe',
    'visibility=secret',
    'colour=red',
    'limit=1&limit=2',
  ])('?%s is refused', async (query) => {
    const response = await gateway.api('GET', `/v1/gateways?${query}`);
    expect(response.status).toBe(400);
    expect((await problem(response))['code']).toBe('request_invalid');
  });
});

describe('whatever is sent', () => {
  const answered = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await gateway.gateway.fetch(
      new Request(new URL(path, gateway.url), {
        method,
        headers: { authorization: `Bearer ${await gateway.token('operator', 'admin')}`, host: 'localhost', ...headers },
        ...(body !== undefined && { body }),
      }),
    );
    await response.text();
    return response.status;
  };
  const TAILS = ['', '/state', '/refresh', '/check', '/tools/refresh'];

  test('odd ids, paths and queries are never the gateway’s fault', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD'),
        fc.oneof(
          fc.string({ unit: 'binary', minLength: 1 }),
          fc.constantFrom('%', '%ff', '..', '%2e%2e', '%00', '__proto__', 'constructor'),
        ),
        fc.constantFrom(...TAILS),
        fc.string({ unit: 'binary' }),
        async (method, id, tail, query) => {
          fc.pre(!['one', 'two', 'three'].includes(id));
          const segment = /^%|^\./.test(id) ? id : encodeURIComponent(id.toWellFormed());
          const status = await answered(
            method,
            `/v1/gateways/${segment}${tail}?${encodeURIComponent(query.toWellFormed())}`,
          );
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('JSON of any shape is refused by name, not by accident', async () => {
    const json = { 'content-type': 'application/json' };
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        expect(await answered('POST', '/v1/gateways?connect=false', body, json)).toBe(400);
        expect([200, 400]).toContain(await answered('PUT', '/v1/gateways/one', body, json));
      }),
      { numRuns: 60 },
    );
  });

  test('known fields with values of any kind are taken or refused', async () => {
    const fields = [
      'client_cert',
      'client_key',
      'ca_certificate',
      'auth_type',
      'auth_headers',
      'pins',
      'crl',
      'next',
      'server_name',
      'prefix',
      'tls_config',
      'min_tls_version',
    ];
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.jsonValue(),
      fc.constantFrom('basic', '*****', '-----BEGIN PRIVATE KEY-----', '/etc/passwd', 'https://[::1', 'TLSv1.3'),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...fields), value), async (body) => {
        const text = JSON.stringify({ name: crypto.randomUUID(), url: 'https://127.0.0.1:9/', ...body });
        expect(
          await answered('POST', '/v1/gateways?connect=false', text, { 'content-type': 'application/json' }),
        ).toBeLessThan(500);
      }),
      { numRuns: 80 },
    );
  });
});
