import { readHeader } from './vault.ts';
import type { Sealed } from './vault.ts';

/**
 * The context a secret field is sealed for: the record's key and the path to the field, as in
 * `gateway:<id>:client_key` or `gateway:<id>:headers/x-api-key`. Array elements are named by position.
 */
export function fieldContext(recordKey: string, path: readonly string[]): string {
  return `${recordKey}:${path.map(escapeName).join('/')}`;
}

/** Whether a value in a body is a sealed field. */
export function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  return 'sealed' in value && typeof value.sealed === 'string' && readHeader(value.sealed) !== undefined;
}

/** A body in which each sealed field is replaced by what `replace` makes of it; the body itself stays as it was. */
export async function replaceSealed(
  recordKey: string,
  body: unknown,
  replace: (field: Sealed, context: string) => Promise<Sealed>,
): Promise<unknown> {
  const walk = async (value: unknown, path: readonly string[]): Promise<unknown> => {
    if (isSealed(value)) return replace(value, fieldContext(recordKey, path));
    if (Array.isArray(value)) return Promise.all(value.map((element, index) => walk(element, [...path, `${index}`])));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(async ([name, member]) => [name, await walk(member, [...path, name])]);
    return Object.fromEntries(await Promise.all(members));
  };
  return walk(body, []);
}

/** As in a JSON Pointer, so that no two paths share a context: https://www.rfc-editor.org/rfc/rfc6901#section-3 */
const escapeName = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
