import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openApiDocument } from '../../../src/http/api/openapi.ts';
import { parsePolicy } from '../../../src/policy/parse-document.ts';
import { parseQuestion } from '../../../src/policy/question.ts';
import { ADMIN_ACTIONS } from '../../../src/policy/admin-actions.ts';
import { startGateway } from '../../support/gateway.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { schemaProblem } from '../../support/json-schema.ts';
import { postMessage } from '../../support/mcp-client.ts';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { McpUpstream } from '../../support/mcp-upstream.ts';

type Fields = Readonly<Record<string, unknown>>;
const OPERATORS = { name: 'operators', who: { role: 'admin' }, allow: { admin: '*' } };
const document = JSON.parse(JSON.stringify(openApiDocument())) as {
  paths: Readonly<Record<string, object>>;
  components: { schemas: Readonly<Record<string, { examples: unknown[] }>> };
};

let upstream: McpUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = await startMcpUpstream({ extraTools: ['find', 'delete'] });
  gateway = await startGateway();
  await gateway.register({ name: 'crm', url: upstream.url });
  const members = [{ gateway: 'crm', aliases: { remove: 'delete' } }];
  await gateway.api('POST', '/v1/servers', { name: 'Desk', members });
  await gateway.api('POST', '/v1/servers', { name: 'Lost', members: [] });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
afterEach(() => ask('DELETE', ''));

async function ask(method: string, below: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await gateway.api(method, `/v1/policy${below}`, body, headers);
  return { status: response.status, etag: response.headers.get('etag'), body: (await response.json()) as Fields };
}
const put = (...rules: readonly object[]) => ask('PUT', '', { rules: [OPERATORS, ...rules] });
const as = async (subject: string, role: 'admin' | 'user' = 'user') => ({
  authorization: `Bearer ${await gateway.token(subject, role)}`,
});

test('a policy is shown as it was written, with a version to change it by', async () => {
  expect((await ask('GET', '')).body).toMatchObject({ policy: { rules: [] }, status: 'active', lastError: null });
  const written = await put();
  expect(written.body).toMatchObject({ policy: { rules: [OPERATORS] }, updatedBy: 'operator' });
  const { etag, body } = await ask('GET', '');
  expect([etag, body]).toEqual([written.etag, written.body]);
  expect(schemaProblem(document, 'PolicyRead', body)).toBeUndefined();
  const changed = await ask('PUT', '', { rules: [OPERATORS] }, { 'if-match': etag ?? '' });
  expect(changed.status).toBe(200);
  for (const method of ['PUT', 'DELETE']) {
    const late = await ask(method, '', method === 'PUT' ? { rules: [] } : undefined, { 'if-match': etag ?? '' });
    expect([late.status, late.body['code']]).toEqual([412, 'version_stale']);
  }
  expect((await ask('DELETE', '', undefined, { 'if-match': changed.etag ?? '' })).body).toMatchObject({
    policy: { rules: [] },
  });
});

test('the examples are read, and the answers fit the document', async () => {
  const { schemas } = document.components;
  for (const example of schemas['Policy']?.examples ?? []) {
    expect(schemaProblem(document, 'Policy', example)).toBeUndefined();
    parsePolicy(example);
  }
  for (const example of schemas['PolicyQuestion']?.examples ?? []) {
    expect(schemaProblem(document, 'PolicyQuestion', example)).toBeUndefined();
    parseQuestion(example);
  }
  const { body } = await ask('POST', '/test', { caller: { subject: 'ann' }, server: 'desk', tool: 'remove' });
  expect(schemaProblem(document, 'PolicyAnswer', body)).toBeUndefined();
});

test('who makes a policy must be able to change it, and nothing has changed where not', async () => {
  await put({ name: 'all', allow: { servers: '*' } });
  for (const rules of [
    [{ name: 'all', allow: { servers: '*' } }],
    [OPERATORS, { name: 'not you', who: { subject: 'operator' }, deny: { admin: 'policy:write' } }],
  ]) {
    const { status, body } = await ask('PUT', '', { rules });
    expect([status, body['code']]).toEqual([409, 'policy_locks_out']);
    expect(body['hint']).toContain('policy:*');
  }
  expect((await ask('GET', '')).body).toMatchObject({ policy: { rules: [OPERATORS, { name: 'all' }] } });
});

test('administration is what rules say, of role admin', async () => {
  await put(
    { name: 'hands off', who: { subject: 'reader' }, deny: { admin: ['*:write', 'policy:*'] } },
    { name: 'users too', allow: { admin: 'gateways:read' } },
  );
  const reader = await as('reader', 'admin');
  const statusOf = async (method: string, path: string, headers: Record<string, string>) =>
    (await gateway.api(method, path, method === 'GET' ? undefined : {}, headers)).status;
  for (const version of ['/v1', '']) {
    expect(await statusOf('GET', `${version}/gateways`, reader)).toBe(200);
    expect(await statusOf('GET', `${version}/tools`, reader)).toBe(200);
    expect(await statusOf('GET', `${version}/rotation`, reader)).toBe(200);
    for (const [method, path] of [
      ['POST', 'gateways'],
      ['PUT', 'gateways/crm'],
      ['DELETE', 'servers/desk'],
      ['POST', 'rotation'],
      ['GET', 'policy'],
      ['GET', '%70olicy'],
      ['POST', 'policy/test'],
      ['PUT', 'policy/'],
    ] as const)
      expect(await statusOf(method, `${version}/${path}`, reader), `${method} ${path}`).toBe(403);
    expect(await statusOf('GET', `${version}/gateways`, await as('reader'))).toBe(403);
  }
  expect(await statusOf('GET', '/openapi.json', reader)).toBe(200);
  const said = await gateway.api('POST', '/v1/rotation', {}, reader);
  expect(await said.json()).toMatchObject({ code: 'forbidden', message: expect.stringContaining('rotation:write') });
  expect(gateway.events.findLast(({ name }) => name === 'policy.refused')?.fields).toEqual({
    subject: 'reader',
    action: 'rotation:write',
    rule: 'hands off',
  });
});

test('every address of the API is about an area that rules can name', () => {
  const areas = new Set(ADMIN_ACTIONS.map((action) => action.split(':')[0]));
  const items = new Set(['tools', 'prompts', 'resources']);
  const unnamed = Object.keys(document.paths)
    .map((path) => path.split('/')[2] ?? '')
    .filter((name) => !areas.has(name) && !items.has(name));
  expect(unnamed).toEqual([]);
});

test('metrics are for whom rules allow them, whatever the role', async () => {
  const scrape = async (subject: string) => (await gateway.api('GET', '/metrics', undefined, await as(subject))).status;
  expect(await scrape('prometheus')).toBe(200);
  await put({ name: 'scrape', who: { subject: 'prometheus' }, allow: { admin: 'metrics:read' } });
  expect([await scrape('prometheus'), await scrape('ann')]).toEqual([200, 403]);
});

test('an address that is not allowed looks like one that is not there; /mcp says why', async () => {
  await put({ name: 'desk', who: { subject: 'ann' }, allow: { servers: 'desk' } });
  const token = await gateway.token('ann');
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const at = async (path: string) => {
    const response = await postMessage(`${gateway.url}${path}/mcp`, token, ping);
    return { status: response.status, body: await response.text() };
  };
  expect((await at('/servers/desk')).status).toBe(200);
  const [denied, absent] = [await at('/servers/crm'), await at('/servers/nowhere')];
  expect(denied.status).toBe(404);
  expect(denied).toEqual(absent);
  expect(await at('')).toMatchObject({ status: 403, body: expect.stringContaining('forbidden') });
  for (const path of ['/servers/crm', ''])
    for (const end of ['sse', 'messages']) {
      const method = end === 'sse' ? 'GET' : 'POST';
      const response = await gateway.api(
        method,
        `${path}/${end}`,
        method === 'POST' ? ping : undefined,
        await as('ann'),
      );
      expect(response.status, `${path}/${end}`).toBe(path === '' ? 403 : 404);
    }
});

test.each<[Fields, Fields]>([
  [
    { tool: 'remove', server: 'desk' },
    { allowed: false, rule: 'careful', item: { gateway: 'crm', name: 'delete' } },
  ],
  [{ tool: 'crm_delete' }, { allowed: false, rule: 'careful', item: { kind: 'tools', name: 'delete' } }],
  [
    { tool: 'find', server: 'crm' },
    { allowed: true, rule: 'crm', item: { name: 'find' } },
  ],
  [
    { tool: 'delete', gateway: 'elsewhere' },
    { allowed: false, rule: 'careful', item: { gateway: 'elsewhere' } },
  ],
  [
    { tool: 'x', gateway: 'elsewhere' },
    { allowed: false, rule: null, why: 'no rule allows it' },
  ],
  [
    { prompt: 'greet', server: 'desk' },
    { allowed: true, rule: 'crm' },
  ],
  [
    { resource: 'test://bin%61ry', server: 'desk' },
    { allowed: false, rule: 'careful' },
  ],
  [
    { resource: 'test://item/7', server: 'desk' },
    { allowed: true, rule: 'crm' },
  ],
  [{}, { allowed: true, rule: 'crm', item: null }],
  [{ server: 'crm' }, { allowed: true, rules: ['crm', 'careful'] }],
  [{ server: 'lost' }, { allowed: false, rule: null, why: 'no rule allows it' }],
  [{ admin: 'metrics:read' }, { allowed: false, rule: null, why: 'no rule allows it' }],
  [{ admin: 'gateways:read' }, { allowed: false, rule: null, why: 'administration needs role admin' }],
])('a question is answered by the rule that decides: %j', async (question, answer) => {
  await put(
    { name: 'crm', allow: { gateways: 'crm' } },
    { name: 'careful', deny: { tools: 'delete', resources: 'test://binary' } },
  );
  const { status, body } = await ask('POST', '/test', { caller: { subject: 'ann' }, ...question });
  expect([status, body]).toMatchObject([200, answer]);
});

test('what is read by a template needs the template to be allowed', async () => {
  const rules = [{ name: 'one', allow: { resources: 'test://item/7' } }];
  const question = { caller: { subject: 'ann' }, resource: 'test://item/7', server: 'crm', policy: { rules } };
  expect((await ask('POST', '/test', question)).body).toMatchObject({ allowed: false, rule: null });
  const both = [{ name: 'one', allow: { resources: ['test://item/7', 'test://item/{id}'] } }];
  expect((await ask('POST', '/test', { ...question, policy: { rules: both } })).body).toMatchObject({ allowed: true });
  expect((await ask('GET', '')).body).toMatchObject({ policy: { rules: [] } });
});

test('a question about what is not there is no denial', async () => {
  for (const question of [{ tool: 'nothing_like_it' }, { tool: 'find', server: 'nowhere' }, { server: 'nowhere' }]) {
    const { status, body } = await ask('POST', '/test', { caller: { subject: 'ann' }, ...question });
    expect([status, body['code']]).toEqual([404, 'not_found']);
  }
});
