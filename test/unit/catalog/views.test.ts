import { expect, test } from 'vitest';
import type { MemberRule } from '../../../src/catalog/server-record.ts';
import { exposureOf } from '../../../src/catalog/exposure.ts';
import { Views, viewId } from '../../../src/catalog/views.ts';
import { joinedServer, serverOf, singleServer } from '../../../src/catalog/virtual-server.ts';
import type { What } from '../../../src/policy/document.ts';
import { RuleSet } from '../../../src/policy/rule-set.ts';
import { memberOf, relist } from '../../support/catalog.ts';

const tools = [{ name: 'find' }, { name: 'delete' }];
const [crm, erp] = [memberOf({ id: 'crm', tools }), memberOf({ id: 'erp', tools })];
const joined = joinedServer([
  { id: 'crm', prefix: 'crm_', upstream: crm.upstream },
  { id: 'erp', prefix: 'erp_', upstream: erp.upstream },
]);
const single = singleServer({ id: 'crm', prefix: '', upstream: crm.upstream });
const rules = (allow: What, deny?: What) =>
  new RuleSet([{ name: 'yes', allow }, ...(deny ? [{ name: 'no', deny }] : [])]);
const namesIn = (server = single) => server.catalogue.items('tools/list').map(({ name }) => name);

test('who may have everything has the server itself, untouched', () => {
  const views = new Views();
  expect(views.of(single, rules({ gateways: 'crm' }))).toBe(single);
  expect(views.of(joined, rules({ servers: '/mcp' }))).toBe(joined);
  expect(single.transparent).toBe(true);
});

test('a view is made once for the same rules, under the same key, and is never transparent', () => {
  const [views, set] = [new Views(), rules({ servers: '*' }, { tools: 'delete' })];
  const view = views.of(single, set);
  expect(view).toBe(views.of(single, set));
  expect(view).toMatchObject({ key: single.key, address: 'crm', transparent: false });
  expect(view && viewId(view)).not.toBe(viewId(single));
  expect(namesIn(view)).toEqual(['find']);
  expect(view?.catalogue.route({ by: 'name', of: 'tools', value: 'delete' })).toBeUndefined();
  expect(view?.catalogue.route({ by: 'none' })).toBeUndefined();
});

test('an upstream of which nothing may be had is not there', () => {
  const view = new Views().of(joined, rules({ gateways: 'erp' }));
  expect(view?.members.map(({ upstream }) => upstream.config.slug)).toEqual(['erp']);
  expect(namesIn(view)).toEqual(['erp_find', 'erp_delete']);
  expect(view?.catalogue.route({ by: 'name', of: 'tools', value: 'crm_find' })).toBeUndefined();
});

test('an address where nothing is left is not there; an empty one is where it is allowed', () => {
  const views = new Views();
  expect(views.of(joined, rules({ gateways: 'x' }))).toBeUndefined();
  expect(views.of(joined, rules({ servers: 'desk' }))).toBeUndefined();
  const empty = joinedServer([]);
  expect(views.of(empty, rules({ servers: '/mcp' }))).toBe(empty);
  expect(views.of(empty, rules({ servers: 'desk' }))).toBeUndefined();
});

test('a rule goes by the name the upstream knows, whatever a virtual server calls it', () => {
  const rule: MemberRule = { gateway: 'crm', denyTools: ['hush'], aliases: { remove: 'delete', lookup: 'find' } };
  const exposure = exposureOf(rule);
  const server = serverOf({
    key: 's',
    address: 's',
    members: [{ ...crm, ...(exposure && { exposure }) }],
    transparent: false,
  });
  const view = new Views().of(server, rules({ servers: '*' }, { tools: 'delete' }));
  expect(namesIn(view)).toEqual(['lookup']);
  for (const value of ['remove', 'delete', 'hush', 'find'])
    expect(view?.catalogue.route({ by: 'name', of: 'tools', value }), value).toBeUndefined();
  expect(view?.catalogue.route({ by: 'name', of: 'tools', value: 'lookup' })).toMatchObject({ upstreamName: 'find' });
});

test('a name is hidden in every case, unless it is listed so', () => {
  const member = memberOf({ id: 'm', tools: [...tools, { name: 'Find' }] });
  const server = singleServer({ id: 'm', prefix: '', upstream: member.upstream });
  const view = new Views().of(server, rules({ servers: '*' }, { tools: ['delete', 'find'] }));
  const routeOf = (value: string) => view?.catalogue.route({ by: 'name', of: 'tools', value });
  for (const value of ['delete', 'Delete', 'DELETE', ' delete', 'delete\n', 'FIND'])
    expect(routeOf(value), value).toBeUndefined();
  for (const value of ['Find', 'unlisted']) expect(routeOf(value), value).toBeDefined();
});

test('a view of a view has what both leave, and follows the server that takes the place of the first', () => {
  const views = new Views();
  const [first, second] = [rules({ gateways: 'crm' }), rules({ servers: '*' }, { tools: 'delete' })];
  const once = views.of(joined, first);
  const twice = once && views.of(once, second);
  expect(namesIn(twice)).toEqual(['crm_find']);
  expect(twice && views.again(twice, () => joined)).toBe(twice);
  const other = joinedServer([{ id: 'crm', prefix: 'c_', upstream: crm.upstream }]);
  expect(twice && namesIn(views.again(twice, () => other))).toEqual(['c_find']);
  expect(twice && views.again(twice, () => undefined)).toBeUndefined();
});

test('a view has another catalogue once its upstream lists something else, and the same one until then', () => {
  const member = memberOf({ id: 'm', tools });
  const server = singleServer({ id: 'm', prefix: '', upstream: member.upstream });
  const view = new Views().of(server, rules({ servers: '*' }, { tools: 'delete' }));
  const before = view?.catalogue;
  expect(view?.catalogue).toBe(before);
  relist(member, { tools: [...tools, { name: 'new' }] });
  expect(namesIn(view)).toEqual(['find', 'new']);
});
