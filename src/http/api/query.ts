import { GatewayError } from '../../base/errors.ts';

interface Described {
  readonly description: string;
}

/** A query parameter: its OpenAPI description, and what it is read by. */
export type QuerySchema =
  | (Described & { readonly type: 'boolean'; readonly default: boolean })
  | (Described & { readonly type: 'integer'; readonly minimum: number; readonly maximum: number })
  | (Described & { readonly type: 'string'; readonly maxLength?: number; readonly enum?: readonly string[] });

type QueryValue<Schema> = Schema extends { readonly type: 'boolean' }
  ? boolean
  : Schema extends { readonly type: 'integer' }
    ? number | undefined
    : string | undefined;

/** The parameters of one operation, after reading. */
export type QueryOf<Schemas> = { readonly [Name in keyof Schemas]: QueryValue<Schemas[Name]> };

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * Reads the query of a request. A parameter we do not know is an error: `?conect=false` must not connect.
 *
 * @throws GatewayError request_invalid
 */
export function readQuery<const Schemas extends Readonly<Record<string, QuerySchema>>>(
  url: string,
  schemas: Schemas,
): QueryOf<Schemas> {
  const given = new URL(url).searchParams;
  for (const name of given.keys()) {
    if (!Object.hasOwn(schemas, name))
      throw invalid(name.slice(0, 64), `is not one of ${Object.keys(schemas).join(', ') || 'none'}`);
    if (given.getAll(name).length > 1) throw invalid(name, 'is given more than once');
  }
  const values = Object.entries(schemas).map(([name, schema]) => [name, readValue(name, given.get(name), schema)]);
  // each value was read by the schema of its name
  return Object.fromEntries(values) as QueryOf<Schemas>;
}

function readValue(name: string, text: string | null, schema: QuerySchema): unknown {
  if (text === null) return schema.type === 'boolean' ? schema.default : undefined;
  switch (schema.type) {
    case 'boolean': {
      const value = BOOLEANS.get(text.toLowerCase());
      if (value === undefined) throw invalid(name, 'must be true or false');
      return value;
    }
    case 'integer': {
      const { minimum, maximum } = schema;
      const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
      if (!(value >= minimum && value <= maximum))
        throw invalid(name, `must be an integer from ${minimum} to ${maximum}`);
      return value;
    }
    case 'string':
      if (schema.enum !== undefined && !schema.enum.includes(text))
        throw invalid(name, `must be one of ${schema.enum.join(', ')}`);
      if (text.length > (schema.maxLength ?? Infinity))
        throw invalid(name, `must have at most ${schema.maxLength} characters`);
      return text;
  }
}

const invalid = (name: string, problem: string): GatewayError =>
  new GatewayError('request_invalid', `the query parameter ${name} ${problem}`, {
    details: { fields: [{ field: name, problem }] },
  });
