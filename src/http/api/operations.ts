import type { QuerySchema } from './query.ts';

/** A part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Leads to a component of the document. */
export const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });
/** Leads to a schema of the document. */
export const schema = (name: string): Json => ref('schemas', name);
const json = (of: Json): Json => ({ 'application/json': { schema: of } });

/** An operation, as far as it differs from the others. */
export interface Operation {
  /** What it is about. */
  readonly tag: string;
  readonly id: string;
  readonly summary: string;
  readonly answers: Json;
  /** Of success; default 200. */
  readonly status?: number;
  readonly refusals: readonly number[];
  readonly query?: Readonly<Record<string, QuerySchema>>;
  readonly body?: string;
  readonly ifMatch?: true;
  readonly etag?: true;
  readonly links?: Json;
}

const ALWAYS = [400, 401, 403, 500, 503];
const ETAG = { ETag: { schema: { type: 'string' }, description: 'The version, for If-Match.' } };

/** One operation of a path. */
export function operation(described: Operation): Json {
  const { tag, id, summary, answers, status = 200, refusals, query = {}, body, ifMatch, etag, links } = described;
  const parameters = Object.entries(query).map(([name, { description, ...of }]) => ({
    name,
    in: 'query',
    description,
    schema: of,
  }));
  const statuses = [...ALWAYS, ...refusals, ...(body ? [413, 415] : []), ...(ifMatch ? [412] : [])].toSorted(
    (a, b) => a - b,
  );
  return {
    operationId: id,
    summary,
    tags: [tag],
    parameters: [...parameters, ...(ifMatch ? [ref('parameters', 'ifMatch')] : [])],
    ...(body && { requestBody: { required: true, content: json(schema(body)) } }),
    responses: {
      [status]: {
        description: summary,
        content: json(answers),
        ...(etag && { headers: ETAG }),
        ...(links && { links }),
      },
      ...Object.fromEntries(statuses.map((status) => [status, ref('responses', `Problem${status}`)])),
    },
  };
}

/** The operations of a path with an `{id}`. */
export const withId = (operations: Json): Json => ({ parameters: [ref('parameters', 'id')], ...operations });

/** Operations that take the id of an answer. */
export const linksTo = (...operationIds: readonly string[]): Json =>
  Object.fromEntries(
    operationIds.map((operationId) => [operationId, { operationId, parameters: { id: '$response.body#/id' } }]),
  );
