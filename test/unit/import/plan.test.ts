import { expect, test } from 'vitest';
import { Hidden } from '../../../src/import/hidden.ts';
import type { ImportedEntry, ImportedGateway, ImportedServer } from '../../../src/import/imported-entry.ts';
import type { Registered } from '../../../src/import/name-book.ts';
import { planImport } from '../../../src/import/plan.ts';
import type { PlanOptions } from '../../../src/import/plan.ts';

const url = 'https://mcp.example.com/mcp';
const gateway = (name: string, rest: Partial<ImportedGateway> = {}): ImportedGateway => ({
  kind: 'gateway',
  source: name,
  enabled: true,
  problems: [],
  changes: [],
  ...rest,
  body: { url, ...rest.body, name },
});
const server = (name: string, rest: Partial<ImportedServer> = {}): ImportedServer => ({
  kind: 'server',
  source: name,
  body: { name },
  members: [],
  enabled: true,
  problems: [],
  changes: [],
  ...rest,
});
const registered = (kind: Registered['kind'], name: string, slug: string, view: object = {}): Registered => ({
  kind,
  id: `id of ${name}`,
  name,
  slug,
  view: { name, url, enabled: true, ...view },
});
const plan = (entries: readonly ImportedEntry[], options: Partial<PlanOptions> = {}) =>
  planImport(entries, { registered: [], replace: false, ...options });
const outcome = (entries: readonly ImportedEntry[], options: Partial<PlanOptions> = {}) =>
  plan(entries, options).map(({ status, name, slug }) => [status, name, slug]);

test('names whose addresses would clash are told apart, and the same way at the next run', () => {
  const entries = [gateway('a b'), gateway('a-b'), gateway('天気'), gateway('x\u0007y'), server('A B')];
  const first = plan(entries);
  expect(first.map(({ name, slug }) => [name, slug])).toEqual([
    ['a b', 'a-b'],
    ['a-b 2', 'a-b-2'],
    ['天気 mcp.example.com', 'mcp-example-com'],
    ['x y', 'x-y'],
    ['A B 3', 'a-b-3'],
  ]);
  expect(first.map(({ changes }) => changes.length)).toEqual([0, 1, 1, 1, 1]);
  const there = first.map(({ entry, name, slug }) => registered(entry.kind, name, slug));
  expect(outcome(entries, { registered: there }).map(([status, name]) => [status, name])).toEqual(
    first.map(({ name }) => ['unchanged', name]),
  );
});

test('two entries of one name are two, also when they are there already', () => {
  const entries = [gateway('a'), gateway('a')];
  const first = outcome(entries);
  expect(first).toEqual([
    ['imported', 'a', 'a'],
    ['imported', 'a 2', 'a-2'],
  ]);
  const there = first.map(([, name = '', slug = '']) => registered('gateway', name, slug));
  expect(outcome(entries, { registered: there })).toEqual([
    ['unchanged', 'a', 'a'],
    ['unchanged', 'a 2', 'a-2'],
  ]);
});

test('what is registered under its name is left alone, or replaced', () => {
  const there = [registered('gateway', 'a', 'old', { description: 'x', authToken: '*****' })];
  const status = (body: object, replace: boolean, enabled = true) =>
    outcome([gateway('a', { enabled, body: { ...body, name: 'a' } })], { registered: there, replace })[0];
  const secret = { authToken: new Hidden('canary') };
  expect(status({}, false)).toEqual(['unchanged', 'a', 'old']);
  expect(status({}, true)).toEqual(['unchanged', 'a', 'old']);
  expect(status({ description: 'y' }, false)).toEqual(['exists', 'a', 'old']);
  expect(status({ description: 'y' }, true)).toEqual(['replaced', 'a', 'old']);
  expect(status({}, false, false)).toEqual(['exists', 'a', 'old']);
  // nobody can see whether a secret is the same
  expect(status(secret, false)).toEqual(['unchanged', 'a', 'old']);
  expect(status(secret, true)).toEqual(['replaced', 'a', 'old']);
});

test('a lack is no matter for what is there already', () => {
  const problems = [{ kind: 'variable', name: 'TOKEN', message: 'the variable TOKEN is not set' }] as const;
  const there = [registered('gateway', 'a', 'a')];
  expect(outcome([gateway('a', { problems })], { registered: there })).toEqual([['unchanged', 'a', 'a']]);
  expect(outcome([gateway('a', { problems })], { registered: there, replace: true })).toEqual([['missing', 'a', 'a']]);
  expect(outcome([gateway('b', { problems })])).toEqual([['missing', 'b', 'b']]);
  const refused = [...problems, { kind: 'unsupported', name: 'oauth', message: 'no' } as const];
  expect(outcome([gateway('b', { problems: refused })])).toEqual([['refused', 'b', 'b']]);
});

test('what is stored in another spelling is the same', () => {
  const view = {
    url: 'https://mcp.example.com/mcp',
    transport: 'SSE',
    passthroughHeaders: ['x-tenant'],
    env: { KEY: '*****' },
    caCertificate: 'PEM\n',
    authQueryParamValueMasked: '*****',
    tags: [],
  };
  const there = [registered('gateway', 'a', 'a', view)];
  const isSame = (body: object) =>
    outcome([gateway('a', { body: { ...body, name: 'a' } })], { registered: there })[0]?.[0] === 'unchanged';
  expect(isSame({ url: 'HTTPS://mcp.example.com:443/mcp', passthroughHeaders: ['X-Tenant'] })).toBe(true);
  expect(isSame({ env: { KEY: new Hidden('x') }, caCertificate: 'PEM\r\n', transport: 'AUTO', tags: [] })).toBe(true);
  expect(isSame({ authQueryParamValue: new Hidden('x'), url: new Hidden(url, 'shown') })).toBe(true);
  for (const body of [
    { env: { KEY: new Hidden('x'), OTHER: new Hidden('y') } },
    { env: {} },
    { url: new Hidden(`${url}?a=1`, url) },
    { transport: 'STREAMABLEHTTP' },
    { passthroughHeaders: ['X-Other'] },
  ])
    expect([body, isSame(body)]).toEqual([body, false]);
});

test('a program the gateway may not start is missing; where nobody knows, the gateway will say', () => {
  const entry = gateway('a', { body: { name: 'a', transport: 'STDIO', command: 'npx' } });
  const [planned] = plan([entry], { stdioCommands: ['uvx'] });
  expect(planned).toMatchObject({ status: 'missing', problems: [{ kind: 'command', name: 'npx' }] });
  expect(outcome([entry], { stdioCommands: ['npx'] })).toEqual([['imported', 'a', 'a']]);
  expect(outcome([entry])).toEqual([['imported', 'a', 'a']]);
});

test('virtual servers take gateways by the slugs they get here', () => {
  const members = [
    { gateway: 'a-b', rule: {} },
    { gateway: 'was', rule: { tools: ['x'] } },
    { gateway: '*', rule: {} },
  ];
  const entries = [server('s', { members }), gateway('a-b'), gateway('is', { slug: 'was' })];
  const planned = plan(entries, { registered: [registered('server', 'A B', 'a-b')] });
  expect(planned.map(({ slug }) => slug)).toEqual(['a-b-2', 'is', 's']);
  expect(planned[2]).toMatchObject({ status: 'imported', problems: [] });
  expect(planned[2]?.members.map(({ gateway }) => gateway)).toEqual(['a-b-2', 'is', '*']);
});

test('a virtual server whose gateway is not there waits for it', () => {
  const members = [{ gateway: 'a', rule: {} }];
  const problems = [{ kind: 'variable', name: 'T', message: 'not set' }] as const;
  expect(plan([gateway('a', { problems }), server('s', { members })])[1]).toMatchObject({
    status: 'missing',
    problems: [{ kind: 'gateway', name: 'a' }],
  });
  const there = [registered('gateway', 'a', 'a')];
  expect(outcome([server('s', { members })], { registered: there })).toEqual([['imported', 's', 's']]);
});

test('an empty list of tools is not the same as none', () => {
  const rules = [{ gateway: '*', tags: null, tools: null, denyTools: [], aliases: {} }];
  const there = [registered('server', 's', 's', { members: rules })];
  const status = (rule: object) =>
    outcome([server('s', { members: [{ gateway: '*', rule: { ...rule } }] })], { registered: there })[0]?.[0];
  expect([status({}), status({ tools: [] }), status({ prefix: '' })]).toEqual(['unchanged', 'exists', 'exists']);
});
