import type { FieldSchema, ObjectSchema, TextSchema } from './field-schema.ts';

/** Control characters, spelt out: not every reader of JSON Schema knows \p{Cc}. */
export const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f';

/** A text of 1 to 255 characters, unless `rest` says otherwise. */
export const text = (description: string, rest: Partial<TextSchema> = {}): TextSchema => ({
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description,
  ...rest,
});

/** One of a few words. */
export const choice = <const Values extends readonly string[]>(description: string, values: Values) =>
  ({ type: 'string', enum: values, description }) as const;

/** True or false. */
export const flag = (description: string) => ({ type: 'boolean', description }) as const;

/** A list of at most 64 items, unless `maxItems` says otherwise. */
export const list = <const Item extends FieldSchema>(description: string, items: Item, maxItems = 64) =>
  ({ type: 'array', items, maxItems, description }) as const;

/** An object whose fields are all known. */
export const object = <const Properties extends ObjectSchema['properties']>(
  description: string,
  properties: Properties,
  required: readonly (string & keyof Properties)[] = [],
) => ({ type: 'object', description, properties, required, additionalProperties: false }) as const;

/** An object whose names are the caller's choice. */
export const map = <const Value extends TextSchema>(
  description: string,
  propertyNames: TextSchema,
  additionalProperties: Value,
  maxProperties: number,
) => ({ type: 'object', description, propertyNames, additionalProperties, maxProperties }) as const;

/** A name for people that a slug can be made of. */
export const nameOf = (example: string): TextSchema =>
  text('Name for people; unique. The slug is made of it once, at registration, and stays.', {
    pattern: `^[^${CONTROL}]*[0-9A-Za-z][^${CONTROL}]*$`,
    examples: [example],
  });

/** What goes before names. */
export const prefixOf = (description: string): TextSchema =>
  text(description, { minLength: 0, maxLength: 64, pattern: '^[0-9A-Za-z_.-]*$' });

/** What something is for, in words. */
export const DESCRIPTION = text('What it is for.', { minLength: 0, maxLength: 8192 });

/** What is kept for people and scripts. */
export const LABELS = {
  tags: list('Labels; lists are narrowed down by them, and virtual servers select gateways by them.', text('A tag.')),
  teamId: text('Kept without effect.'),
  ownerEmail: text('Kept without effect.'),
  visibility: choice('Kept without effect.', ['private', 'team', 'public']),
} as const;
