import { expect, test } from 'vitest';
import { toGatewayError } from '../../../src/base/errors.ts';
import { parsePolicy } from '../../../src/policy/parse-document.ts';
import { parseQuestion } from '../../../src/policy/question.ts';

const rule = (more: object) => ({ rules: [{ name: 'r', ...more }] });
const allow = { servers: '*' };

test('a policy is kept as it was written', () => {
  const written = {
    rules: [
      {
        name: 'all of it',
        who: {
          subject: ['a*', 'b'],
          role: 'admin',
          method: ['token', 'certificate'],
          issuer: 'https://*',
          ca: 'Our CA',
          claims: { O: 'Example', groups: ['x', 'y'] },
        },
        deny: {
          servers: '/mcp',
          gateways: 'crm',
          tools: '*',
          prompts: ['p'],
          resources: 'x://{id}',
          admin: 'policy:*',
        },
      },
      { name: 'everyone', allow },
    ],
  };
  expect(parsePolicy(written)).toEqual(written);
  expect(parsePolicy({ rules: [] })).toEqual({ rules: [] });
});

const refusals: readonly [string, unknown, RegExp][] = [
  ['no object', [], /policy must be an object/],
  ['no rules', {}, /policy\.rules is required/],
  ['another part', { rules: [], roles: [] }, /policy\.roles is not one of rules/],
  ['rules that are none', { rules: {} }, /rules must be a list/],
  ['too many', { rules: Array.from({ length: 513 }, () => ({})) }, /at most 512/],
  ['no name', { rules: [{ allow }] }, /rules\.0\.name is required/],
  ['a name of two lines', { rules: [{ name: 'a\nb', allow }] }, /in one line/],
  [
    'one name twice',
    {
      rules: [
        { name: 'a', allow },
        { name: 'a', allow },
      ],
    },
    /rules\.1\.name is the name of another/,
  ],
  ['neither allow nor deny', rule({}), /either allow or deny/],
  ['both', rule({ allow, deny: allow }), /either allow or deny/],
  ['nothing allowed', rule({ allow: {} }), /allow must not be empty/],
  ['an unknown member', rule({ allow, when: 'now' }), /rules\.0\.when is not one of/],
  ['an unknown who', rule({ who: { subjct: 'a' }, allow }), /who\.subjct is not one of subject, role/],
  ['an empty who', rule({ who: {}, allow }), /who must not be empty/],
  ['an unknown role', rule({ who: { role: 'root' }, allow }), /role must be one of admin, user/],
  ['an unknown method', rule({ who: { method: 'magic' }, allow }), /method must be one of token/],
  ['no claims', rule({ who: { claims: {} }, allow }), /claims must have 1 to 32/],
  ['an unknown what', rule({ allow: { tool: 'a' } }), /allow\.tool is not one of servers/],
  ['an empty list', rule({ allow: { tools: [] } }), /tools must not be empty/],
  ['an empty text', rule({ allow: { tools: [''] } }), /tools must not be empty/],
  ['a number', rule({ allow: { tools: 7 } }), /tools must be a text or texts/],
  ['a long text', rule({ allow: { tools: 'x'.repeat(2049) } }), /at most 2048/],
  ['half a letter', rule({ allow: { tools: '\ud800' } }), /Unicode/],
  ['an unknown action', rule({ allow: { admin: 'gateway:read' } }), /admin must fit one of gateways:read/],
  ['a member of every object', { rules: [], constructor: 1 }, /policy\.constructor is not one of/],
];

test.each(refusals)('refused: %s', (_what, value, message) => {
  try {
    parsePolicy(value);
  } catch (thrown) {
    const { code, message: said, details } = toGatewayError(thrown);
    expect([code, said]).toEqual(['request_invalid', expect.stringMatching(message)]);
    expect(details?.['fields']).not.toEqual([]);
    return;
  }
  expect.unreachable();
});

test('a question names a caller and one thing', () => {
  expect(() => parseQuestion({})).toThrow(/caller is required/);
  expect(() => parseQuestion({ caller: { subject: ['a'] } })).toThrow(/subject must be a text/);
  expect(() => parseQuestion({ caller: { subject: 'a' }, tool: 'a', admin: 'policy:read' })).toThrow(
    /must name one of/,
  );
  expect(() => parseQuestion({ caller: { subject: 'a' }, admin: 'policy:*' })).toThrow(/must be one of gateways:read/);
  expect(() => parseQuestion({ caller: { subject: 'a' }, policy: { rules: [{}] } })).toThrow(/policy\.rules\.0\.name/);
  expect(parseQuestion({ caller: { subject: 'a' } })).toEqual({ caller: { subject: 'a' } });
});
