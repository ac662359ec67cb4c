import { GatewayError } from '../base/errors.ts';
import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { Secret } from '../base/secret.ts';

/**
 * The part of JSON Schema that gateways and virtual servers are described with: one description parses the input and becomes the OpenAPI
 * document. A `writeOnly` text is a secret.
 *
 * @see https://json-schema.org/draft/2020-12
 */
export type FieldSchema =
  | TextSchema
  | BooleanSchema
  | IntegerSchema
  | ListSchema
  | ObjectSchema
  | MapSchema
  | OpenSchema;

interface Described {
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** A text. */
export interface TextSchema extends Described {
  readonly type: 'string';
  readonly enum?: readonly string[];
  /** Unicode code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly writeOnly?: true;
}

interface BooleanSchema extends Described {
  readonly type: 'boolean';
}

interface IntegerSchema extends Described {
  readonly type: 'integer';
  readonly minimum: number;
  readonly maximum: number;
}

interface ListSchema extends Described {
  readonly type: 'array';
  readonly items: FieldSchema;
  readonly maxItems: number;
}

/** An object whose fields are all known; those not required may be null. */
export interface ObjectSchema extends Described {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

/** An object whose names are the caller's choice. */
export interface MapSchema extends Described {
  readonly type: 'object';
  readonly propertyNames: TextSchema;
  readonly additionalProperties: TextSchema;
  readonly maxProperties: number;
}

/** Any object at all. */
interface OpenSchema extends Described {
  readonly type: 'object';
  readonly additionalProperties: true;
}

/** What reads as a secret in answers, and keeps the stored one in an update. */
export const MASK = '*****';

/** A secret somebody sent, or the wish to keep the stored one. */
export type SecretInput = Secret | typeof MASK;

/** What a value of a schema is after reading. */
export type ValueOf<F> = F extends { readonly enum: readonly (infer Value)[] }
  ? Value
  : F extends { readonly writeOnly: true }
    ? SecretInput
    : F extends { readonly type: 'string' }
      ? string
      : F extends { readonly type: 'boolean' }
        ? boolean
        : F extends { readonly type: 'integer' }
          ? number
          : F extends { readonly items: infer Item }
            ? readonly ValueOf<Item>[]
            : F extends { readonly properties: infer Properties }
              ? PatchOf<Properties>
              : F extends { readonly propertyNames: unknown; readonly additionalProperties: infer Value }
                ? Readonly<Record<string, ValueOf<Value>>>
                : Readonly<Record<string, unknown>>;

/** Fields after reading: absent, null, or a value. */
export type PatchOf<Fields> = { readonly [Name in keyof Fields]?: ValueOf<Fields[Name]> | null };

/** One thing that is wrong with an input. Never holds a value: that may be a secret. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** The snake_case spelling of a camelCase name. */
export function snakeOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * Reads an object by its schema: names in either spelling, secrets wrapped. What is wrong is added to `problems`.
 *
 * @param partial whether required fields may be absent, as in an update
 */
export function readObject(
  schema: ObjectSchema,
  value: unknown,
  { path = '', partial = false, problems }: { path?: string; partial?: boolean; problems: FieldProblem[] },
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const report = (field: string, problem: string) => problems.push({ field: path + field, problem });
  if (!isFields(value)) {
    problems.push({ field: path.slice(0, -1) || 'body', problem: 'must be an object' });
    return result;
  }
  const names = new Map(
    Object.keys(schema.properties).flatMap((name) => [[name, name] as const, [snakeOf(name), name] as const]),
  );
  for (const [spelling, given] of Object.entries(value)) {
    const name = names.get(spelling);
    const field = name === undefined ? undefined : schema.properties[name];
    if (name === undefined || field === undefined) report(spelling.slice(0, 64), 'is not a known field');
    else if (name in result) report(name, `is given twice, as ${name} and as ${snakeOf(name)}`);
    else if (given !== null) result[name] = readValue(field, given, { path: `${path}${name}`, problems });
    else {
      result[name] = null;
      if (schema.required?.includes(name)) report(name, 'must not be null');
    }
  }
  for (const name of partial ? [] : (schema.required ?? [])) if (!(name in result)) report(name, 'is required');
  return result;
}

const SHOWN_PROBLEMS = 20;

/** Refuses an input with problems, each by its field. @throws GatewayError request_invalid */
export function refuseProblems(problems: readonly FieldProblem[]): void {
  if (problems.length === 0) return;
  const fields = problems.slice(0, SHOWN_PROBLEMS);
  const message = fields.map(({ field, problem }) => `${field} ${problem}`).join('; ');
  throw new GatewayError('request_invalid', message, {
    hint: '/openapi.json describes every field',
    details: { fields },
  });
}

interface Place {
  readonly path: string;
  readonly problems: FieldProblem[];
}

function readValue(schema: FieldSchema, value: unknown, at: Place): unknown {
  const problem = 'properties' in schema ? undefined : problemWith(schema, value);
  if (problem !== undefined) {
    at.problems.push({ field: at.path, problem });
    return undefined;
  }
  if ('properties' in schema) return readObject(schema, value, { path: `${at.path}.`, problems: at.problems });
  if (schema.type === 'array')
    // problemWith has seen that it is an array
    return (value as unknown[]).map((item, index) =>
      readValue(schema.items, item, { path: `${at.path}[${index}]`, problems: at.problems }),
    );
  if ('propertyNames' in schema) return readMap(schema, value as Fields, at);
  if (schema.type === 'string' && schema.writeOnly && value !== MASK) return new Secret(String(value));
  return value;
}

function readMap(schema: MapSchema, value: Fields, { path, problems }: Place): Record<string, unknown> {
  const entries = Object.entries(value).map(([name, item]) => {
    const problem = problemWithText(schema.propertyNames, name);
    if (problem !== undefined) problems.push({ field: path, problem: `has a name that ${problem}` });
    return [name, readValue(schema.additionalProperties, item, { path: `${path}.${name.slice(0, 64)}`, problems })];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function problemWith(schema: Exclude<FieldSchema, ObjectSchema>, value: unknown): string | undefined {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? problemWithText(schema, value) : 'must be a string';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'integer': {
      const { minimum, maximum } = schema;
      const inRange = Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
      return inRange ? undefined : `must be an integer from ${minimum} to ${maximum}`;
    }
    case 'array':
      if (!Array.isArray(value)) return 'must be a list';
      return value.length > schema.maxItems ? `must have at most ${schema.maxItems} items` : undefined;
    case 'object':
      if (!isFields(value)) return 'must be an object';
      return 'propertyNames' in schema && Object.keys(value).length > schema.maxProperties
        ? `must have at most ${schema.maxProperties} names`
        : undefined;
  }
}

function problemWithText(schema: TextSchema, text: string): string | undefined {
  const { minLength = 0, maxLength = Infinity } = schema;
  if (schema.enum !== undefined)
    return schema.enum.includes(text) ? undefined : `must be one of ${schema.enum.join(', ')}`;
  if (text.length < minLength) return 'must not be empty';
  if (text.length > maxLength && Array.from(text).length > maxLength)
    return `must have at most ${maxLength} characters`;
  if (!text.isWellFormed() || text.includes('\0')) return 'must be Unicode text without NUL';
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(text))
    return `must match ${schema.pattern}`;
  return undefined;
}
