import { operation, schema } from './operations.ts';
import type { Json } from './operations.ts';
import { flag, count, list, maybe, maybeText, object, oneOf, ref, text, texts, time } from './schema-parts.ts';
import type { Schema } from './schema-parts.ts';

const fleet = { tag: 'rotation', answers: schema('RotationRead') };

/** The paths of rotation. */
export const ROTATION_PATHS: Json = {
  '/v1/rotation': {
    get: operation({
      id: 'readRotation',
      summary: 'The newest generation, and how far each instance of the fleet is.',
      ...fleet,
      refusals: [],
    }),
    post: operation({
      id: 'rotate',
      summary: 'Writes a generation every instance comes to; answers once this one has tried.',
      ...fleet,
      status: 202,
      refusals: [404, 409, 422, 502],
      body: 'RotationRequest',
    }),
  },
};

/** What the API answers about rotation. */
export const ROTATION_READ_SCHEMAS: Readonly<Record<string, Schema>> = {
  RotationRead: object({
    generation: maybe(ref('Generation')),
    converged: { ...flag, description: 'Whether every live instance serves it.' },
    instances: list(ref('Instance')),
    storeLostAt: { ...maybeText, description: 'Since when the instance that answers cannot read the store.' },
  }),
  Generation: object({
    number: count,
    id: text,
    at: time,
    by: text,
    reason: oneOf('change', 'request', 'signal', 'file', 'promote', 'retire', 'rollback'),
    scope: { anyOf: [{ const: 'all' }, texts], description: 'Everything, or the records it is about.' },
  }),
  Instance: object({
    id: text,
    name: { ...text, description: 'Where it runs, for people.' },
    state: {
      ...oneOf('current', 'behind', 'failed', 'lapsed'),
      description: 'failed: it serves what it served before, see problems. lapsed: it has said nothing for 15 s.',
    },
    generation: { ...count, description: 'The one in force there.' },
    at: time,
    problems: list(object({ name: text, code: text, message: text })),
    vaultKeys: { ...texts, description: 'Ids of the vault keys it holds, the one that seals first.' },
  }),
};
