import { expect, test } from 'vitest';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import type { PrincipalFacts } from '../../../src/identity/principal.ts';
import type { Who } from '../../../src/identity/who.ts';
import { decide } from '../../../src/policy/grant.ts';
import { closedPolicy, openPolicy, Policy } from '../../../src/policy/policy.ts';

const caller = (facts: Partial<PrincipalFacts> = {}) =>
  mintPrincipal({ subject: 'ann', role: 'user', method: 'token', ...facts });
const certificate = { subject: 'CN=ann', issuer: 'CN=Issuing', sha256: 'aa', ca: 'Our CA' };
const claims = { O: 'Example', groups: ['sales', 'desk'] };

test.each<[Who | undefined, Partial<PrincipalFacts>, boolean]>([
  [undefined, {}, true],
  [{ subject: 'ann' }, {}, true],
  [{ subject: ['bob', 'a*'] }, {}, true],
  [{ subject: 'bob' }, {}, false],
  [{ subject: 'an' }, {}, false],
  [{ subject: 'ann', role: 'admin' }, {}, false],
  [{ role: ['admin', 'user'] }, {}, true],
  [{ method: 'certificate' }, {}, false],
  [{ issuer: 'https://*' }, { issuer: 'https://id.example.com' }, true],
  [{ issuer: '*' }, {}, false],
  [{ ca: 'Our CA' }, { certificate }, true],
  [{ ca: 'CN=Issuing' }, { certificate }, false],
  [{ ca: '*' }, {}, false],
  [{ claims: { O: 'Exam*' } }, { claims }, true],
  [{ claims: { O: 'Example', groups: ['x', 'desk'] } }, { claims }, true],
  [{ claims: { O: 'Example', groups: 'x' } }, { claims }, false],
  [{ claims: { toString: '*' } }, { claims }, false],
])('%j is about %j: %j', (who, facts, expected) => {
  const policy = new Policy({ rules: [{ name: 'r', ...(who && { who }), allow: { servers: '*' } }] });
  expect(policy.rulesOf(caller(facts))?.names).toEqual(expected ? ['r'] : []);
});

test('callers to whom the same rules apply share them', () => {
  const rules = [
    { name: 'all', allow: { servers: '*' } },
    { name: 'ann', who: { subject: 'ann' }, deny: { tools: 'x' } },
  ];
  const policy = new Policy({ rules });
  const [ann, bob, cal] = [caller(), caller({ subject: 'bob' }), caller({ subject: 'cal' })];
  expect(policy.rulesOf(bob)).toBe(policy.rulesOf(cal));
  expect(policy.rulesOf(ann)).not.toBe(policy.rulesOf(bob));
  expect(policy.rulesOf(ann)).toBe(policy.rulesOf(caller()));
  expect(new Policy({ rules: [...rules] }).rulesOf(ann)?.id).toBe(policy.rulesOf(ann)?.id);
});

test('without rules everything is as if there was no policy; with rules role admin is still needed', () => {
  const change = { kind: 'admin', name: 'gateways:write' } as const;
  const [ann, root] = [caller(), caller({ role: 'admin' })];
  const ask = (policy: Policy, who: typeof ann, action: Parameters<typeof decide>[1]) =>
    decide(who, action, policy.rulesOf(who));
  expect(ask(openPolicy(), ann, { kind: 'mcp' }).allowed).toBe(true);
  expect(ask(openPolicy(), ann, { kind: 'metrics' }).allowed).toBe(true);
  expect(ask(openPolicy(), ann, change)).toMatchObject({
    allowed: false,
    reason: expect.stringContaining('role admin'),
  });
  expect(ask(openPolicy(), root, change).allowed).toBe(true);
  const policy = new Policy({ rules: [{ name: 'all', allow: { admin: 'gateways:*' } }] });
  expect(ask(policy, ann, change).allowed).toBe(false);
  expect(ask(policy, root, change).allowed).toBe(true);
  expect(ask(policy, root, { kind: 'metrics' })).toMatchObject({ allowed: false, rule: undefined });
  expect(ask(policy, root, { kind: 'admin' }).allowed).toBe(true);
});

test('while nobody knows what was said, an admin may say it again, and nothing else is allowed', () => {
  const policy = closedPolicy();
  const [ann, root] = [caller(), caller({ role: 'admin' })];
  for (const who of [ann, root]) expect(policy.rulesOf(who)?.address('/mcp').allowed).toBe(false);
  expect(policy.rulesOf(root)?.admin('policy:write').allowed).toBe(true);
  expect(policy.rulesOf(root)?.admin('gateways:read').allowed).toBe(false);
  expect(policy.rulesOf(ann)?.admin('policy:write').allowed).toBe(false);
});
