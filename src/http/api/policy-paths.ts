import { ADMIN_ACTIONS } from '../../policy/admin-actions.ts';
import { METHODS, ROLES } from '../../identity/who.ts';
import { operation, schema } from './operations.ts';
import type { Json, Operation } from './operations.ts';
import { flag, list, maybe, maybeText, object, oneOf, ref, text, texts, time } from './schema-parts.ts';
import type { Schema } from './schema-parts.ts';

const of = (described: Omit<Operation, 'tag'>): Json => operation({ tag: 'policy', ...described });
const held = { answers: schema('PolicyRead'), etag: true } as const;

/** The paths of the policy. */
export const POLICY_PATHS: Json = {
  '/v1/policy': {
    get: of({ id: 'readPolicy', summary: 'Who may do what.', ...held, refusals: [] }),
    put: of({
      id: 'replacePolicy',
      summary: 'Puts another policy in force, here and at every instance.',
      ...held,
      refusals: [409],
      body: 'Policy',
      ifMatch: true,
    }),
    delete: of({
      id: 'clearPolicy',
      summary: 'Drops every rule: MCP is for everyone recognised, administration for role admin.',
      ...held,
      refusals: [409],
      ifMatch: true,
    }),
  },
  '/v1/policy/test': {
    post: of({
      id: 'testPolicy',
      summary: 'Says what would be decided, and by which rule; changes nothing.',
      answers: schema('PolicyAnswer'),
      refusals: [404],
      body: 'PolicyQuestion',
    }),
  },
};

const several = (description: string, of: Schema = text): Schema => ({
  anyOf: [of, { ...list(of), minItems: 1 }],
  description: `${description} One text or several; * stands for any text.`,
});
const claims: Schema = {
  type: 'object',
  additionalProperties: several('Values.'),
  description: 'By name: claims of a token, parts of a distinguished name, what a proxy adds.',
};
const what: Schema = {
  ...object(
    {},
    {
      servers: several('Addresses: slugs of virtual servers and gateways, and /mcp.'),
      gateways: several('Upstreams, by slug.'),
      tools: several(
        'As their gateway names them; where tools, prompts or resources are given, the others are not meant.',
      ),
      prompts: several('As their gateway names them.'),
      resources: several('By URI or URI template.'),
      admin: several(`Of administration: ${ADMIN_ACTIONS.join(', ')}.`),
    },
  ),
  minProperties: 1,
};

/** What is sent to the API about the policy. */
export const POLICY_WRITE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Policy: {
    ...object(
      { rules: list(ref('PolicyRule')) },
      {
        limits: {
          type: 'array',
          items: { type: 'object' },
          description: 'Rates and concurrency, as docs/limits.md has them; they take the place of POSTERN_LIMITS.',
        },
      },
    ),
    description:
      'Who may do what. Without rules MCP is for everyone recognised and administration for role admin; with rules, what none allows is denied. Unknown fields are refused.',
    examples: [
      {
        rules: [
          {
            name: 'sales reads stock',
            who: { subject: 'sales-*' },
            allow: { gateways: 'warehouse', tools: ['find_*'] },
          },
          { name: 'operators', who: { role: 'admin' }, allow: { admin: '*' } },
          { name: 'nobody deletes', deny: { tools: 'delete_*' } },
        ],
      },
    ],
  },
  PolicyRule: {
    ...object(
      { name: { ...text, description: 'For people; decisions name it.' } },
      {
        who: {
          ...object(
            {},
            {
              subject: several('Who calls.'),
              role: several('', oneOf(...ROLES)),
              method: several('How it was recognised.', oneOf(...METHODS)),
              issuer: several('Who issued its token.'),
              ca: several('The authority its certificate leads to.'),
              claims,
            },
          ),
          minProperties: 1,
          description: 'All that is given must hold; absent means everyone recognised.',
        },
        allow: { ...what, description: 'Either this or deny. All that is given must hold; admin is apart from it.' },
        deny: { ...what, description: 'Wins over whatever is allowed.' },
      },
    ),
    oneOf: [{ required: ['allow'] }, { required: ['deny'] }],
  },
  PolicyQuestion: {
    ...object(
      {
        caller: object(
          { subject: text },
          { role: oneOf(...ROLES), method: oneOf(...METHODS), issuer: text, ca: text, claims },
        ),
      },
      {
        server: { ...text, description: 'An address: a slug, or /mcp, which is the default.' },
        gateway: { ...text, description: 'With it the item is named as this gateway names it, else as callers do.' },
        tool: text,
        prompt: text,
        resource: text,
        admin: { ...text, description: 'An action of administration.' },
        policy: { ...ref('Policy'), description: 'Asked instead of the one in the store.' },
      },
    ),
    examples: [{ caller: { subject: 'ann' }, server: 'sales-desk', tool: 'find_stock' }],
  },
};

/** What the API answers about the policy. */
export const POLICY_READ_SCHEMAS: Readonly<Record<string, Schema>> = {
  PolicyRead: object({
    policy: { ...maybe(ref('Policy')), description: 'Null for one that cannot be believed.' },
    status: { ...oneOf('active', 'refused'), description: 'refused: nothing is allowed until it is put right.' },
    lastError: maybeText,
    updatedAt: time,
    updatedBy: maybeText,
  }),
  PolicyAnswer: object({
    allowed: flag,
    rule: { ...maybeText, description: 'The one that decides; null where none allows it, or there are none.' },
    why: text,
    rules: { ...texts, description: 'Every rule that is about the caller.' },
    item: { ...maybe(object({ gateway: text, kind: oneOf('tools', 'prompts', 'resources'), name: text })) },
  }),
};
