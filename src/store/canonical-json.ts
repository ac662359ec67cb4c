import { isFields } from '../base/fields.ts';

/**
 * JSON with the members of every object in one order, so that equal values are equal texts. Values that JSON cannot
 * say are treated as `JSON.stringify` treats them.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    isFields(member) ? Object.fromEntries(Object.entries(member).toSorted(byName)) : member,
  );
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
