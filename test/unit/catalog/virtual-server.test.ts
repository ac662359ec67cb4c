import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinedServer, matchesTemplate, routeOf, singleServer } from '../../../src/catalog/virtual-server.ts';
import type { VirtualServer } from '../../../src/catalog/virtual-server.ts';
import { memberOf } from '../../support/catalog.ts';
import type { MemberOptions } from '../../support/catalog.ts';

const joined = (...members: MemberOptions[]): VirtualServer =>
  joinedServer(members.map((options) => ({ id: options.id ?? 'up', ...memberOf(options) })));

const byName = (value: string) => ({ by: 'name', value }) as const;
const byUri = (value: string) => ({ by: 'uri', value }) as const;
const ownerOf = (server: VirtualServer, target: Parameters<typeof routeOf>[1]) =>
  routeOf(server, target)?.member.upstream.config.id;

test('a single server takes everything as it is', () => {
  const server = singleServer({ id: 'a', ...memberOf({ id: 'a', prefix: 'a_' }) });
  expect(server.transparent).toBe(true);
  expect(routeOf(server, { by: 'none' })?.upstreamName).toBeUndefined();
  expect(routeOf(server, byName('anything'))?.upstreamName).toBeUndefined();
});

test('a name goes to the member with its prefix, and arrives without it', () => {
  const server = joined({ id: 'a', prefix: 'a_' }, { id: 'b', prefix: 'b_' });
  expect(ownerOf(server, byName('b_echo'))).toBe('b');
  expect(routeOf(server, byName('b_echo'))?.upstreamName).toBe('echo');
  expect(routeOf(server, byName('c_echo'))).toBeUndefined();
});

test('where prefixes nest, the member that lists the name wins, else the longest prefix', () => {
  const nested = [
    { id: 'outer', prefix: 'a_', tools: [{ name: 'b_echo' }] },
    { id: 'inner', prefix: 'a_b_' },
  ];
  expect(ownerOf(joined(...nested), byName('a_b_echo'))).toBe('outer');
  expect(ownerOf(joined(...nested), byName('a_b_other'))).toBe('inner');
});

test('a URI goes to the member that lists it, then to a matching template, then to one that has resources', () => {
  const server = joined(
    { id: 'plain', tools: [{ name: 'x' }] },
    { id: 'first', resources: [{ uri: 'x://1' }] },
    { id: 'second', resources: [{ uri: 'x://2' }], resourceTemplates: [{ uriTemplate: 'y://{id}/data' }] },
  );
  expect(ownerOf(server, byUri('x://2'))).toBe('second');
  expect(ownerOf(server, byUri('y://7/data'))).toBe('second');
  expect(ownerOf(server, byUri('z://unlisted'))).toBe('first');
});

test('a template matches what it expands to', () => {
  expect(matchesTemplate('test://item/{id}', 'test://item/7')).toBe(true);
  expect(matchesTemplate('test://item/{id}/data', 'test://item/7/other')).toBe(false);
  expect(matchesTemplate('test://fixed', 'test://fixed')).toBe(true);
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-') });
  fc.assert(
    fc.property(part, part, part, part, part, (a, x, b, y, c) => {
      expect(matchesTemplate(`${a}{x}${b}{y}${c}`, a + x + b + y + c)).toBe(true);
    }),
  );
});
