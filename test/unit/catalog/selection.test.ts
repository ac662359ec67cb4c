import { expect, test } from 'vitest';
import { selectedBy, serverFrom } from '../../../src/catalog/selection.ts';
import type { MemberRule } from '../../../src/catalog/server-record.ts';
import type { GatewayEntry } from '../../../src/registry/snapshot.ts';
import { memberOf } from '../../support/catalog.ts';

const entry = (slug: string, more: Partial<GatewayEntry> = {}): GatewayEntry => ({
  ...memberOf({ id: slug, prefix: `${slug}_`, tools: [{ name: 'echo' }] }),
  id: slug,
  slug,
  name: slug,
  tags: [],
  profiles: undefined,
  enabled: true,
  ...more,
});
const ENTRIES = [entry('crm', { tags: ['sales'] }), entry('erp'), entry('crm-old', { tags: ['sales', 'old'] })];

const slugs = (...rules: MemberRule[]) => selectedBy(rules, ENTRIES).map(({ entry: { slug } }) => slug);
const server = (members: MemberRule[], entries = ENTRIES) =>
  serverFrom({ id: 's', slug: 's', name: 's', enabled: true, members, labels: {} }, entries);
const prefixes = (...members: MemberRule[]) => server(members).members.map(({ prefix }) => prefix);

test('a rule takes gateways by slug, by pattern and by tag, in the order of registration', () => {
  expect(slugs({ gateway: 'crm' })).toEqual(['crm']);
  expect(slugs({ gateway: 'crm*' })).toEqual(['crm', 'crm-old']);
  expect(slugs({ gateway: '*', tags: ['old', 'sales'] })).toEqual(['crm', 'crm-old']);
  expect(slugs({ gateway: 'crm', tags: ['old'] })).toEqual([]);
  expect(slugs({ gateway: 'nobody' })).toEqual([]);
});

test('a gateway belongs to the first rule that matches it', () => {
  expect(slugs({ gateway: 'erp' }, { gateway: '*' })).toEqual(['erp', 'crm', 'crm-old']);
  const rules = selectedBy([{ gateway: 'erp', tools: [] }, { gateway: '*' }], ENTRIES).map(({ rule }) => rule.gateway);
  expect(rules).toEqual(['erp', '*', '*']);
});

test('there is no prefix where one gateway is named, also while it is away; else the rule or the gateway has it', () => {
  expect(prefixes({ gateway: 'crm' })).toEqual(['']);
  expect(prefixes({ gateway: 'crm' }, { gateway: 'erp' })).toEqual(['crm_', 'erp_']);
  expect(prefixes({ gateway: 'crm' }, { gateway: 'nobody' })).toEqual(['crm_']);
  expect(prefixes({ gateway: 'crm', prefix: 'x-' }, { gateway: 'erp', prefix: '' })).toEqual(['x-', '']);
  expect(prefixes({ gateway: 'e*' })).toEqual(['erp_']);
});

test('messages pass untouched only through one gateway of which everything is shown', () => {
  expect(server([{ gateway: 'crm' }]).transparent).toBe(true);
  expect(server([{ gateway: 'crm', prefix: '' }]).transparent).toBe(true);
  for (const rule of [
    { gateway: 'crm', prefix: 'x_' },
    { gateway: 'crm', tools: ['*'] },
    { gateway: 'crm', denyTools: ['drop'] },
    { gateway: 'crm', aliases: { a: 'echo' } },
    { gateway: 'e*', prefix: '' },
    { gateway: 'nobody' },
  ])
    expect(server([rule]).transparent, JSON.stringify(rule)).toBe(false);
});

test('what is out of service is left out, and keeps its rule', () => {
  const entries = [entry('crm', { enabled: false }), entry('erp')];
  expect(server([{ gateway: 'crm' }, { gateway: '*' }], entries).members.map(({ prefix }) => prefix)).toEqual(['erp_']);
  expect(server([{ gateway: 'crm' }], entries)).toMatchObject({ members: [], transparent: false });
});
