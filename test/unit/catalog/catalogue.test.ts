import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Catalogue } from '../../../src/catalog/catalogue.ts';
import { exposureOf } from '../../../src/catalog/exposure.ts';
import { joinedServer, serverOf, singleServer } from '../../../src/catalog/virtual-server.ts';
import type { VirtualServer } from '../../../src/catalog/virtual-server.ts';
import type { Member } from '../../../src/catalog/member.ts';
import type { MemberRule } from '../../../src/catalog/server-record.ts';
import type { Target } from '../../../src/wire/mcp.ts';
import { memberOf, relist } from '../../support/catalog.ts';
import type { MemberOptions } from '../../support/catalog.ts';

const joined = (...members: MemberOptions[]): VirtualServer =>
  joinedServer(members.map((options) => ({ id: options.id ?? 'up', ...memberOf(options) })));
const ruled = (options: MemberOptions, rule: Omit<MemberRule, 'gateway'>): Member => {
  const exposure = exposureOf({ gateway: 'any', ...rule });
  return { ...memberOf(options), ...(exposure && { exposure }) };
};
const catalogueOf = (...members: Member[]) => new Catalogue(members, false);

const tool = (value: string): Target => ({ by: 'name', of: 'tools', value });
const prompt = (value: string): Target => ({ by: 'name', of: 'prompts', value });
const uri = (value: string): Target => ({ by: 'uri', value });
const ownerOf = ({ catalogue }: VirtualServer, target: Target) => catalogue.route(target)?.member.upstream.config.id;
const named = (...names: string[]) => names.map((name) => ({ name }));

test('a single server takes everything as it is', () => {
  const { catalogue, transparent } = singleServer({ id: 'a', ...memberOf({ id: 'a', prefix: 'a_' }) });
  expect(transparent).toBe(true);
  expect(catalogue.route({ by: 'none' })).toEqual({ member: expect.anything() });
  expect(catalogue.route(tool('anything'))).toEqual({ member: expect.anything() });
});

test('a name goes to the member with its prefix, and arrives without it, also before anything was listed', () => {
  const server = joined({ id: 'a', prefix: 'a_' }, { id: 'b', prefix: 'b_' });
  expect(ownerOf(server, tool('b_echo'))).toBe('b');
  expect(server.catalogue.route(tool('b_echo'))?.upstreamName).toBe('echo');
  expect(server.catalogue.route(tool('c_echo'))).toBeUndefined();
});

test('where prefixes nest, the member that lists the name wins, else the longest prefix', () => {
  const nested = [
    { id: 'outer', prefix: 'a_', tools: named('b_echo') },
    { id: 'inner', prefix: 'a_b_' },
  ];
  expect(ownerOf(joined(...nested), tool('a_b_echo'))).toBe('outer');
  expect(ownerOf(joined(...nested), tool('a_b_other'))).toBe('inner');
});

test('a URI goes to the member that lists it, then to a matching template, then to one that has resources', () => {
  const server = joined(
    { id: 'plain', tools: named('x') },
    { id: 'first', resources: [{ uri: 'x://1' }] },
    { id: 'second', resources: [{ uri: 'x://2' }], resourceTemplates: [{ uriTemplate: 'y://{id}/data' }] },
  );
  expect(ownerOf(server, uri('x://2'))).toBe('second');
  expect(ownerOf(server, uri('y://7/data'))).toBe('second');
  expect(ownerOf(server, uri('z://unlisted'))).toBe('first');
});

test('listings keep their order and unknown fields, and names take the prefix', () => {
  const { catalogue } = joined(
    { prefix: 'a_', tools: [{ name: 'one', vendor: { x: 1 } }, { name: 'two' }] },
    { prefix: '', tools: named('one'), resources: [{ uri: 'x://1', name: 'one' }] },
  );
  expect(catalogue.items('tools/list')).toEqual([
    { name: 'a_one', vendor: { x: 1 } },
    { name: 'a_two' },
    { name: 'one' },
  ]);
  expect(catalogue.items('resources/list')).toEqual([{ uri: 'x://1', name: 'one' }]);
  expect(catalogue.items('tools/list')).toBe(catalogue.items('tools/list'));
});

test.each([null, 'text', 7, [], {}, { name: null }, { name: { toString: 0 } }])('%j is no item', (nonsense) => {
  // what an upstream sends is not checked before it gets here
  const tools = [nonsense, { name: 'one' }] as { name: string }[];
  const server = joined({ prefix: 'a_', tools }, { prefix: 'b_', tools: named('two') });
  expect(server.catalogue.items('tools/list')).toEqual(named('a_one', 'b_two'));
});

test('when names come to meet at run time the first member stays, and the others are reported', () => {
  const { catalogue } = joined(
    { id: 'a', prefix: '', tools: [{ name: 'same', of: 'a' }] },
    { id: 'b', prefix: '', tools: [{ name: 'same', of: 'b' }] },
  );
  expect(catalogue.items('tools/list')).toEqual([{ name: 'same', of: 'a' }]);
  expect(catalogue.route(tool('same'))?.member.upstream.config.id).toBe('a');
  expect(catalogue.collisions('tools/list')).toMatchObject([
    { name: 'same', shown: { member: { upstream: { config: { id: 'a' } } } }, hidden: { item: { of: 'b' } } },
  ]);
});

test('a tool and a prompt may have one name, and one listed twice is one', () => {
  const { catalogue } = joined(
    { id: 'a', prefix: '', tools: named('same', 'same') },
    { id: 'b', prefix: '', prompts: named('same') },
  );
  expect(catalogue.route(tool('same'))?.member.upstream.config.id).toBe('a');
  expect(catalogue.route(prompt('same'))?.member.upstream.config.id).toBe('b');
  expect(catalogue.items('tools/list')).toHaveLength(1);
  expect(catalogue.collisions('tools/list')).toEqual([]);
});

test('another catalogue is made once a member was listed anew, and not before', () => {
  const member = memberOf({ prefix: 'a_', tools: named('one') });
  const server = serverOf({
    key: 's',
    address: 's',
    members: [member, memberOf({ prefix: 'b_' })],
    transparent: false,
  });
  const before = server.catalogue;
  expect(server.catalogue).toBe(before);
  relist(member, { tools: named('two') });
  expect(server.catalogue).not.toBe(before);
  expect(server.catalogue.items('tools/list')).toEqual(named('a_two'));
  expect(before.items('tools/list')).toEqual(named('a_one'));
});

test('what a rule does not show is neither listed nor routed, whatever else might take it', () => {
  const options = {
    prefix: 'a_',
    tools: named('find', 'delete'),
    prompts: named('greet'),
    resources: [{ uri: 'x://1' }, { uri: 'x://2' }],
    resourceTemplates: [{ uriTemplate: 'y://{id}' }],
  };
  const catalogue = catalogueOf(
    ruled(options, { tools: ['find*'], denyPrompts: ['*'], denyResources: ['x://2', 'y://secret'] }),
    // takes whatever nobody lists
    memberOf({ id: 'other', prefix: '', resources: [{ uri: 'z://1' }] }),
  );
  expect(catalogue.items('tools/list')).toEqual(named('a_find'));
  expect(catalogue.items('prompts/list')).toEqual([]);
  expect(catalogue.items('resources/list')).toEqual([{ uri: 'x://1' }, { uri: 'z://1' }]);
  for (const target of [tool('a_delete'), tool('a_drop'), prompt('a_greet'), uri('x://2'), uri('y://secret')])
    expect(catalogue.route(target)).toBeUndefined();
  expect(catalogue.route(tool('a_find_unlisted'))).toMatchObject({ upstreamName: 'find_unlisted' });
  expect(catalogue.route(uri('y://7'))?.member.prefix).toBe('a_');
  expect(catalogue.route(uri('y://{id}'))?.member.prefix).toBe('a_');
});

test('a name that is listed and not shown is not tried at a member with the same prefix', () => {
  const other = memberOf({ id: 'other', prefix: '' });
  const careful = ruled({ id: 'careful', prefix: '', tools: named('drop') }, { denyTools: ['drop'] });
  for (const catalogue of [catalogueOf(other, careful), catalogueOf(careful, other)])
    expect(catalogue.route(tool('drop'))).toBeUndefined();
});

test('an alias takes the place of the name, is known before anything was listed, and never shows what is denied', () => {
  const rule = { tools: ['other'], denyTools: ['drop'], aliases: { lookup: 'find', gone: 'drop' } };
  const listed = catalogueOf(ruled({ prefix: 'a_', tools: named('find', 'drop', 'other') }, rule));
  expect(listed.items('tools/list')).toEqual(named('lookup', 'a_other'));
  for (const catalogue of [listed, catalogueOf(ruled({ prefix: 'a_' }, rule))]) {
    expect(catalogue.route(tool('lookup'))?.upstreamName).toBe('find');
    for (const hidden of ['a_find', 'find', 'gone', 'a_drop', 'a_gone', 'a_lookup'])
      expect(catalogue.route(tool(hidden)), hidden).toBeUndefined();
    expect(catalogue.route(prompt('lookup'))).toBeUndefined();
  }
});

const word = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 70 });
const member = fc.record({ prefix: fc.stringMatching(/^[ab_]{0,3}$/), names: fc.array(word, { maxLength: 6 }) });

test('every name that is published leads back to the one tool it stands for, and none is lost silently', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 5 }), (members) => {
      const options = members.map(({ prefix, names }, id) => ({ id: String(id), prefix, tools: named(...names) }));
      const { catalogue } = joined(...options);
      const published = [...catalogue.published('tools/list')];
      for (const { name, member: owner, upstreamName = name } of published) {
        expect(name.length).toBeLessThanOrEqual(64);
        expect(catalogue.route(tool(name))).toMatchObject({ member: owner });
        expect(catalogue.route(tool(name))?.upstreamName ?? name).toBe(upstreamName);
        expect(members[Number(owner.upstream.config.id)]?.names).toContain(upstreamName);
      }
      expect(catalogue.items('tools/list').map((item) => item['name'])).toEqual(published.map(({ name }) => name));
      const offered = members.reduce((count, { names }) => count + new Set(names).size, 0);
      const met = new Set(
        catalogue
          .collisions('tools/list')
          .map(({ hidden: { member: of, upstreamName, name } }) => `${of.upstream.config.id} ${upstreamName ?? name}`),
      );
      expect(published.length + met.size).toBe(offered);
    }),
  );
});
