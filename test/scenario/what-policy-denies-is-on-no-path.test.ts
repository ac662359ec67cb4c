/** A tool, prompt, resource or template denied to ann is found on no way in; what she may have is found on all of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventLines } from '../support/event-lines.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { ENVELOPE } from '../support/scripted-server.ts';
import { openSession, WAYS } from '../support/ways-in.ts';
import type { WayIn } from '../support/ways-in.ts';

const POLICY = {
  rules: [
    { name: 'operators', who: { role: 'admin' }, allow: { admin: '*' } },
    { name: 'everyone', allow: { servers: '*' } },
    {
      name: 'ann is careful',
      who: { subject: 'ann' },
      deny: { tools: ['delete'], prompts: 'part', resources: ['test://binary', 'test://vault/*'] },
    },
  ],
};
const ALIASES = { lookup: 'find', remove: 'delete' };
const LISTED = {
  'tools/list': ['tools', 'name', 'find', 'delete'],
  'prompts/list': ['prompts', 'name', 'greet', 'part'],
  'resources/list': ['resources', 'uri', 'test://text', 'test://binary'],
  'resources/templates/list': ['resourceTemplates', 'uriTemplate', 'test://item/{id}', 'test://vault/{id}'],
} as const;
const GATEWAYS = { dual: {}, old: { era: 'legacy' }, new: { era: 'modern' } } as const;
type GatewayName = keyof typeof GATEWAYS;

/** Where a gateway is found, and what goes before its names there. */
const addressesOf = (gateway: GatewayName) => [
  { path: `/servers/${gateway}`, prefix: '', aliases: false },
  { path: `/servers/${gateway}-desk`, prefix: '', aliases: true },
  { path: '/servers/all', prefix: `${gateway}_`, aliases: false },
  { path: '', prefix: `${gateway}_`, aliases: false },
];

/** All three have the same resources, and where they are joined a URI is that of the first. */
const hearingAddressesOf = (gateway: GatewayName) =>
  addressesOf(gateway).filter(({ prefix }) => prefix === '' || gateway === 'dual');

let gateway: TestGateway;
const upstreams = new Map<GatewayName, McpUpstream>();
let ann: string;
let bob: string;

beforeAll(async () => {
  gateway = await startGateway();
  for (const [name, options] of Object.entries(GATEWAYS)) {
    const upstream = await startMcpUpstream({ name, extraTools: ['find', 'delete'], twins: true, ...options });
    upstreams.set(name as GatewayName, upstream);
    await gateway.register({ name, url: upstream.url });
    const members = [{ gateway: name, aliases: ALIASES }];
    expect((await gateway.api('POST', '/v1/servers', { name: `${name} desk`, members })).status).toBe(201);
  }
  const all = await gateway.api('POST', '/v1/servers', { name: 'all', members: [{ gateway: '*' }] });
  expect(all.status).toBe(201);
  expect((await gateway.api('PUT', '/v1/policy', POLICY)).status).toBe(200);
  [ann, bob] = [await gateway.token('ann'), await gateway.token('bob')];
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams.values()) await upstream.close();
});

/** Everything that can be asked about an item, by what is allowed and what is denied. */
function questionsOf(prefix: string, aliases: boolean, hasSession: boolean) {
  const argument = { name: 'who', value: 'p' };
  const tool = (name: string) => ({ name, arguments: {} });
  const prompt = (name: string) => ({ name: prefix + name, arguments: { who: 'you' } });
  const about = (ref: object) => ({ ref, argument });
  const completed = (name: string) => about({ type: 'ref/prompt', name: prefix + name });
  const templated = (uri: string) => about({ type: 'ref/resource', uri });
  return [
    ['tools/call', tool(aliases ? 'lookup' : `${prefix}find`), tool(aliases ? 'remove' : `${prefix}delete`)],
    ['prompts/get', prompt('greet'), prompt('part')],
    ['resources/read', { uri: 'test://text' }, { uri: 'test://binary' }],
    ['resources/read', { uri: 'test://item/7' }, { uri: 'test://vault/7' }],
    ['completion/complete', completed('greet'), completed('part')],
    ['completion/complete', templated('test://item/{id}'), templated('test://vault/{id}')],
    ...(hasSession ? ([['resources/subscribe', { uri: 'test://text' }, { uri: 'test://binary' }]] as const) : []),
  ] as const;
}

/** The published names of a listing that are about this gateway. */
async function listed(way: WayIn, method: keyof typeof LISTED): Promise<unknown[]> {
  const [member, key] = LISTED[method];
  const { result, error } = await way.ask(method);
  expect(error).toBeUndefined();
  const items = result?.[member] as Record<string, unknown>[] | undefined;
  return (items ?? []).map((item) => item[key]);
}

const CASES = Object.keys(GATEWAYS).flatMap((name) =>
  addressesOf(name as GatewayName).flatMap((address) =>
    Object.keys(WAYS).map((way) => ({ name: name as GatewayName, ...address, way })),
  ),
);

/** Requests that reached a server and are about what ann may not have; what is listed is asked for by no name. */
const askedFor = (): number =>
  [...upstreams.values()]
    .flatMap(({ requests }) => requests)
    .filter(({ params }) =>
      /"(?:delete|remove|part|test:\/\/binary|test:\/\/vault\/.*?)"/i.test(JSON.stringify(params ?? {})),
    ).length;

describe.each(['ann', 'bob'])('%s', (who) => {
  const isDenied = who === 'ann';

  test.each(CASES)('finds what is hers at $path/mcp of $name, by $way', async ({ path, prefix, aliases, way: by }) => {
    const way = await WAYS[by]?.(gateway.url, path, isDenied ? ann : bob);
    if (way === undefined) throw new Error(by);
    for (const [method, [, key, allowed, denied]] of Object.entries(LISTED)) {
      const names = await listed(way, method as keyof typeof LISTED);
      const nameOf = (own: string) => (key === 'name' ? prefix + own : own);
      if (method === 'tools/list' && aliases) {
        expect(names).toContain('lookup');
        expect(names.includes('remove')).toBe(!isDenied);
      } else expect(names).toContain(nameOf(allowed));
      expect(names.includes(nameOf(denied))).toBe(!isDenied && !(method === 'tools/list' && aliases));
    }
    const hasSession = ['session', 'sse', 'websocket'].includes(by);
    for (const [method, allowed, denied] of questionsOf(prefix, aliases, hasSession)) {
      const [good, bad] = [await way.ask(method, allowed), await way.ask(method, denied)];
      const said = JSON.stringify([method, denied, good, bad]);
      expect(good.result, said).toBeDefined();
      if (isDenied) expect(bad.error?.message, said).toMatch(/^nothing here is called/);
      else expect(bad.result, said).toBeDefined();
    }
    way.close();
  });

  test.each(Object.keys(GATEWAYS) as GatewayName[])('hears of what is hers only from %s', async (name) => {
    const upstream = upstreams.get(name);
    const token = isDenied ? ann : bob;
    for (const { path } of hearingAddressesOf(name)) {
      const address = `${gateway.url}${path}/mcp`;
      const left = new AbortController();
      const resourceSubscriptions = ['test://text', 'test://binary', 'TEST://binary'];
      const params = { notifications: { resourceSubscriptions }, _meta: ENVELOPE };
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
      const listen = { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params };
      const told = new EventLines(await postMessage(address, token, listen, headers, left.signal));
      const { notifications } = (await told.next('subscriptions/acknowledged')) as typeof params;
      expect(notifications.resourceSubscriptions.includes('test://binary')).toBe(!isDenied);
      await upstream?.updateResource('test://binary');
      await upstream?.updateResource('test://text');
      expect(await told.next('resources/updated')).toMatchObject({ uri: isDenied ? 'test://text' : 'test://binary' });
      left.abort();
    }
  });

  test('reaches what is hers only', () => {
    // ann comes first
    if (isDenied) expect(askedFor()).toBe(0);
    else expect(askedFor()).toBeGreaterThan(100);
  });
});

test('each refusal is told of, by whom and by which rule', () => {
  const refused = gateway.events.filter(({ name }) => name === 'policy.refused');
  expect(refused.length).toBeGreaterThan(100);
  expect(refused.map(({ fields }) => fields)).toContainEqual({
    subject: 'ann',
    action: 'tools/call',
    server: 'dual-desk',
    gateway: 'dual',
    target: 'delete',
    rule: 'ann is careful',
  });
  expect(refused.some(({ fields }) => 'subject' in fields && fields.subject === 'bob')).toBe(false);
});

test('a legacy stream tells ann of no resource that is denied to her', async () => {
  const upstream = upstreams.get('old');
  for (const { path } of hearingAddressesOf('old')) {
    const address = `${gateway.url}${path}/mcp`;
    const session = await openSession(address, ann);
    const left = new AbortController();
    const headers = { authorization: `Bearer ${ann}`, accept: 'text/event-stream', ...session };
    const before = upstream?.requests.filter(({ httpMethod }) => httpMethod === 'GET').length ?? 0;
    const told = new EventLines(await fetch(address, { headers, signal: left.signal }));
    await expect
      .poll(() => upstream?.requests.filter(({ httpMethod }) => httpMethod === 'GET').length)
      .toBe(before + 1);
    await upstream?.updateResource('test://binary');
    await upstream?.updateResource('test://text');
    expect(await told.next('resources/updated')).toEqual({ uri: 'test://text' });
    left.abort();
  }
});
