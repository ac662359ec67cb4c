import { operation, schema, withId } from './operations.ts';
import type { Json, Operation } from './operations.ts';
import { maybe, maybeText, object, oneOf, text, texts, time } from './schema-parts.ts';
import type { Schema } from './schema-parts.ts';

const of = (described: Omit<Operation, 'tag'>): Json => operation({ tag: 'tokens', ...described });

/** The paths of tokens. */
export const TOKEN_PATHS: Json = {
  '/v1/tokens': {
    get: of({
      id: 'listTokens',
      summary: 'Tokens that were made here, without the tokens themselves.',
      answers: { type: 'array', items: schema('TokenRead') },
      refusals: [],
    }),
    post: of({
      id: 'createToken',
      summary: 'Makes a token for a caller with role user; it is shown this once.',
      answers: schema('TokenCreated'),
      status: 201,
      refusals: [],
      body: 'TokenCreate',
    }),
  },
  '/v1/tokens/{id}': withId({
    delete: of({
      id: 'deleteToken',
      summary: 'Revokes a token that was made here.',
      answers: schema('Deleted'),
      refusals: [404],
    }),
  }),
  '/v1/tokens/revocations': {
    get: of({
      id: 'listRevocations',
      summary: 'Signed tokens that were taken back.',
      answers: { type: 'array', items: schema('RevocationRead') },
      refusals: [],
    }),
    post: of({
      id: 'createRevocation',
      summary: 'Takes back one signed token by its jti, or everything a subject was given before a moment.',
      answers: schema('RevocationRead'),
      status: 201,
      refusals: [],
      body: 'RevocationCreate',
    }),
  },
};

const token = {
  id: text,
  name: maybeText,
  subject: text,
  status: oneOf('active', 'expired'),
  servers: maybe(texts),
  tools: maybe(texts),
  networks: maybe(texts),
  createdAt: time,
  createdBy: text,
  expiresAt: time,
};

/** What the API answers about tokens. */
export const TOKEN_READ_SCHEMAS: Readonly<Record<string, Schema>> = {
  TokenRead: object(token),
  TokenCreated: object({ ...token, token: { ...text, description: 'The token. Only its hash is kept.' } }),
  RevocationRead: object({
    jti: maybeText,
    subject: maybeText,
    issuedBefore: time,
    revokedAt: time,
    revokedBy: text,
    expiresAt: { ...time, description: 'When everything it is about has expired by itself.' },
  }),
};
