import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicyRule, What } from '../../../src/policy/document.ts';
import { RuleSet } from '../../../src/policy/rule-set.ts';

const allow = (what: What, name = 'yes'): PolicyRule => ({ name, allow: what });
const deny = (what: What, name = 'no'): PolicyRule => ({ name, deny: what });
const setOf = (...rules: readonly PolicyRule[]) => new RuleSet(rules);

test('what no rule allows is denied', () => {
  const set = setOf();
  expect(set.address('/mcp')).toEqual({ allowed: false, rule: undefined });
  expect(set.item('/mcp', 'crm', 'tools', 'find')).toEqual({ allowed: false, rule: undefined });
  expect(set.admin('policy:read')).toEqual({ allowed: false, rule: undefined });
  expect(set.share('/mcp', 'crm')).toBe('nothing');
});

test('what denies wins, wherever it stands', () => {
  const rules = [allow({ servers: '*' }), deny({ tools: 'delete_*' })];
  for (const set of [setOf(...rules), setOf(...rules.toReversed())]) {
    expect(set.item('/mcp', 'crm', 'tools', 'delete_all')).toEqual({ allowed: false, rule: 'no' });
    expect(set.item('/mcp', 'crm', 'tools', 'find')).toEqual({ allowed: true, rule: 'yes' });
    expect(set.item('/mcp', 'crm', 'prompts', 'delete_all')).toEqual({ allowed: true, rule: 'yes' });
  }
});

describe('what a rule is about', () => {
  test.each<[What, string, boolean]>([
    [{ servers: '*' }, 'everything everywhere', true],
    [{ servers: 'desk' }, 'everything at an address', true],
    [{ servers: '/mcp' }, 'another address', false],
    [{ gateways: ['erp', 'cr*'] }, 'everything of an upstream', true],
    [{ gateways: 'erp' }, 'another upstream', false],
    [{ servers: 'desk', gateways: 'erp' }, 'another upstream at the address', false],
    [{ tools: 'find' }, 'a tool of any upstream', true],
    [{ tools: 'find', gateways: 'crm' }, 'a tool of this one', true],
    [{ tools: 'find', servers: '/mcp' }, 'a tool elsewhere', false],
    [{ prompts: '*' }, 'prompts only', false],
    [{ admin: '*' }, 'administration', false],
  ])('%j: %s', (what, _said, expected) => {
    expect(setOf(allow(what)).item('desk', 'crm', 'tools', 'find').allowed).toBe(expected);
    expect(setOf(allow({ servers: '*' }), deny(what)).item('desk', 'crm', 'tools', 'find').allowed).toBe(!expected);
  });
});

test('administration is apart from MCP', () => {
  const set = setOf(
    allow({ servers: '*' }),
    allow({ admin: ['*:read', 'rotation:*'] }, 'look'),
    deny({ admin: 'policy:*' }),
  );
  expect(set.admin('gateways:read')).toEqual({ allowed: true, rule: 'look' });
  expect(set.admin('rotation:write')).toEqual({ allowed: true, rule: 'look' });
  expect(set.admin('gateways:write')).toEqual({ allowed: false, rule: undefined });
  expect(set.admin('policy:read')).toEqual({ allowed: false, rule: 'no' });
});

test('an upstream is whole only where nothing of it is kept back', () => {
  expect(setOf(allow({ gateways: 'crm' })).share('/mcp', 'crm')).toBe('all');
  expect(setOf(allow({ gateways: 'crm' }), deny({ tools: 'x', servers: 'desk' })).share('/mcp', 'crm')).toBe('all');
  expect(setOf(allow({ gateways: 'crm' }), deny({ tools: 'x' })).share('/mcp', 'crm')).toBeInstanceOf(Function);
  expect(setOf(allow({ tools: '*', gateways: 'crm' })).share('/mcp', 'crm')).toBeInstanceOf(Function);
  expect(setOf(allow({ servers: '*' }), deny({ gateways: 'crm' })).share('/mcp', 'crm')).toBe('nothing');
  expect(setOf(allow({ servers: '*' }), deny({ servers: '/mcp' })).share('/mcp', 'crm')).toBe('nothing');
});

test('an address without servers behind it goes by rules about the whole of it', () => {
  expect(setOf(allow({ servers: '*' }), deny({ gateways: '*' })).address('/mcp').allowed).toBe(true);
  expect(setOf(allow({ gateways: '*' }), allow({ tools: '*' })).address('/mcp').allowed).toBe(false);
  expect(setOf(allow({ servers: '*' }), deny({ servers: '/mcp' })).address('/mcp')).toEqual({
    allowed: false,
    rule: 'no',
  });
});

test('a share says of every item what the decision says, and a denial only ever takes away', () => {
  const word = fc.constantFrom('a', 'b', 'a*', '*');
  const what = fc.record(
    { servers: word, gateways: word, tools: word, prompts: word, resources: word },
    { requiredKeys: [] },
  );
  const rules = fc.array(fc.record({ isAllowed: fc.boolean(), what }), { maxLength: 5 });
  const kind = fc.constantFrom('tools' as const, 'prompts' as const, 'resources' as const);
  const asked = fc.record({
    address: fc.constantFrom('a', 'b'),
    gateway: fc.constantFrom('a', 'ab'),
    kind,
    name: word,
  });
  fc.assert(
    fc.property(rules, what, asked, (given, more, { address, gateway, kind: of, name }) => {
      const all = given.map((rule, index) => (rule.isAllowed ? allow : deny)(rule.what, `${index}`));
      const set = setOf(...all);
      const share = set.share(address, gateway);
      const { allowed } = set.item(address, gateway, of, name);
      expect(typeof share === 'function' ? share(of, name) : share === 'all').toBe(allowed);
      if (!allowed) expect(setOf(...all, deny(more)).item(address, gateway, of, name).allowed).toBe(false);
      if (allowed) expect(setOf(...all, allow(more)).item(address, gateway, of, name).allowed).toBe(true);
    }),
  );
});
