import type { QuerySchema } from './query.ts';

/** What narrows a list of gateways or virtual servers down, and cuts it into pages. */
export const LIST_QUERY = {
  include_inactive: { type: 'boolean', default: false, description: 'Also those that were taken out of service.' },
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    description: 'The most in one answer; absent means all.',
  },
  cursor: { type: 'string', maxLength: 256, description: 'Where the page before ended: its nextCursor.' },
  include_pagination: {
    type: 'boolean',
    default: false,
    description: 'Answer with an object that has the list and nextCursor.',
  },
  tags: { type: 'string', maxLength: 1024, description: 'Those with any of these tags, separated by commas.' },
  team_id: { type: 'string', maxLength: 255, description: 'Those with this teamId.' },
  visibility: { type: 'string', enum: ['private', 'team', 'public'], description: 'Those with this visibility.' },
} as const satisfies Readonly<Record<string, QuerySchema>>;

/** How a gateway is registered. */
export const CREATE_QUERY = {
  connect: { type: 'boolean', default: true, description: 'false stores the gateway without reaching it first.' },
} as const satisfies Readonly<Record<string, QuerySchema>>;

/** How a gateway is changed. */
export const UPDATE_QUERY = {
  connect: {
    type: 'boolean',
    default: true,
    description: 'false puts the change in force without reaching the server first, as to withdraw trust from it.',
  },
} as const satisfies Readonly<Record<string, QuerySchema>>;

/** What becomes of a gateway or virtual server. */
export const STATE_QUERY = {
  activate: { type: 'boolean', default: true, description: 'Whether it is to be in service.' },
} as const satisfies Readonly<Record<string, QuerySchema>>;

/** ContextForge's switches; everything is always refreshed. */
export const REFRESH_QUERY = {
  include_resources: { type: 'boolean', default: true, description: 'Without effect: resources are always refreshed.' },
  include_prompts: { type: 'boolean', default: true, description: 'Without effect: prompts are always refreshed.' },
} as const satisfies Readonly<Record<string, QuerySchema>>;
