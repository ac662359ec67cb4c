import {
  choice,
  DESCRIPTION,
  flag,
  LABELS,
  list,
  map,
  nameOf,
  object,
  prefixOf,
  text,
} from '../registry/describe-field.ts';
import type { FieldSchema, ObjectSchema, PatchOf } from '../registry/field-schema.ts';
import { anything } from '../registry/unsupported.ts';
import { SERVER_CLIENT_AUTH } from './server-record.ts';
import type { Unsupported } from '../registry/unsupported.ts';

const ITEM_COUNT = 4096;
const RULE_COUNT = 256;

const names = (what: string) =>
  list(
    `${what}; \`*\` and \`{…}\` stand for any text.`,
    text('A name or a pattern.', { maxLength: 2048, examples: ['find_*'] }),
    ITEM_COUNT,
  );
const associated = (what: string) =>
  list(
    `Instead of members: ${what} by the id or name GET /v1/${what} shows, also as one text with commas.`,
    text('An id or a name.', { maxLength: 2048 }),
    ITEM_COUNT,
  );

/** One entry of `members`. */
export const MEMBER_FIELDS = {
  gateway: text('The id or slug of a gateway, or a pattern on slugs: * takes all.', { examples: ['warehouse'] }),
  tags: list('Only gateways with one of these tags.', text('A tag.')),
  prefix: prefixOf(
    "What goes before tool and prompt names; absent means none where the server names one gateway, else the gateway's own.",
  ),
  tools: names('The tools that are shown; absent means all'),
  prompts: names('The prompts that are shown; absent means all'),
  resources: names('The resources and templates that are shown, by URI or URI template; absent means all'),
  denyTools: names('Tools that are not shown, and cannot be called'),
  denyPrompts: names('Prompts that are not shown, and cannot be asked for'),
  denyResources: names('Resources and templates that are not shown, and cannot be read'),
  aliases: map(
    'Tools that have a name of their own here: that name, and the name the gateway knows the tool by.',
    text('The name it has here.', { maxLength: 64, pattern: '^[0-9A-Za-z_.-]+$' }),
    text('A tool name.', { maxLength: 1024 }),
    ITEM_COUNT,
  ),
} as const satisfies Readonly<Record<string, FieldSchema>>;

/** Every field of a virtual server that can be written, in the order people read them. */
export const SERVER_FIELDS = {
  name: nameOf('Sales desk'),
  id: text('Only at the start, to keep an id that clients have in their addresses; absent means a new one.', {
    maxLength: 64,
    pattern: '^[0-9A-Za-z_-]+$',
  }),
  description: DESCRIPTION,
  enabled: flag('Whether it is served; default true.'),
  clientAuth: choice(
    'Whether callers have to show a client certificate here: required, also beside a token; none: only a token counts; absent or optional: as the listener has it.',
    SERVER_CLIENT_AUTH,
  ),
  members: list(
    'Which gateways, and what of them; a gateway belongs to the first entry that matches it.',
    object('Some gateways, or one.', MEMBER_FIELDS, ['gateway']),
    RULE_COUNT,
  ),
  associatedTools: associated('tools'),
  associatedPrompts: associated('prompts'),
  associatedResources: associated('resources'),

  icon: text('Kept without effect.', { maxLength: 2048 }),
  ...LABELS,
  associatedA2aAgents: list('Only empty; agents are refused (feature_unsupported).', text('An id.')),
  oauthEnabled: flag('Only false; true is refused (feature_unsupported) until it works.'),
  oauthConfig: {
    type: 'object',
    additionalProperties: true,
    description: 'Refused (feature_unsupported) until it works.',
  },
} as const satisfies Readonly<Record<string, FieldSchema>>;

/** The schema of a virtual server as it is written; an update may leave out everything. */
export const SERVER_SCHEMA: ObjectSchema = object('A virtual server as it is written.', SERVER_FIELDS, ['name']);

/** A virtual server as it is written, after reading: absent keeps, null clears. */
export type ServerPatch = PatchOf<typeof SERVER_FIELDS>;

/** What ContextForge has and we refuse until it works. */
export const SERVER_UNSUPPORTED: readonly Unsupported[] = [
  {
    field: 'associatedA2aAgents',
    asks: (value) => Array.isArray(value) && value.length > 0,
    because: 'associated_a2a_agents is not supported',
    hint: 'leave it out',
  },
  {
    field: 'oauthEnabled',
    asks: (value) => value === true,
    because: 'oauth_enabled is not supported yet',
    hint: 'leave it out, or send false',
  },
  { field: 'oauthConfig', asks: anything, because: 'oauth_config is not supported yet', hint: 'leave it out' },
];
