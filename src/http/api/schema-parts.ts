/** JSON Schema of what the API answers with. */
export type Schema = Readonly<Record<string, unknown>>;

/** A text. */
export const text: Schema = { type: 'string' };
/** A text or null. */
export const maybeText: Schema = { type: ['string', 'null'] };
/** A moment or null. */
export const time: Schema = { type: ['string', 'null'], format: 'date-time' };
/** True or false. */
export const flag: Schema = { type: 'boolean' };
/** A number from 0. */
export const count: Schema = { type: 'integer', minimum: 0 };
/** Null. */
export const nothing: Schema = { type: 'null' };
/** Texts. */
export const texts: Schema = { type: 'array', items: text };
/** Any object. */
export const free: Schema = { type: 'object', additionalProperties: true };
/** One of a few words. */
export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
/** A list. */
export const list = (items: Schema): Schema => ({ type: 'array', items });
/** Leads to another schema. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
/** That, or null. */
export const maybe = (schema: Schema): Schema => ({ anyOf: [schema, nothing] });
/** A secret that is there, or null. */
export const masked: Schema = { type: ['string', 'null'], enum: ['*****', null] };

/** An object that has all of `properties`, and nothing else. */
export const object = (
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema => ({
  type: 'object',
  properties: { ...properties, ...optional },
  required: Object.keys(properties),
  additionalProperties: false,
});
