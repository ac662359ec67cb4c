/** An object whose members are not known yet, as a JSON or YAML parser hands it over. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object with named members: neither null nor a list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as an object with named members, undefined when it is none. */
export function asFields(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}
