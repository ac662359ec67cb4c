import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { memberOf, textOf } from './members.ts';

/** Whether something is in service; it has two names for that. */
export const isEnabled = (one: Fields): boolean => (memberOf(one, 'isActive') ?? one['enabled']) !== false;

/** The members with these names that are texts. */
export function copied(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.flatMap((name) => (textOf(fields, name) === undefined ? [] : [[name, textOf(fields, name)]])),
  );
}

/** Tags, which some versions write as objects, and the visibility. */
export function labelsOf(one: Fields): Fields {
  const { tags, visibility } = one;
  const names = (Array.isArray(tags) ? tags : []).flatMap((tag: unknown) => {
    const name = isFields(tag) ? (tag['label'] ?? tag['id']) : tag;
    return typeof name === 'string' && name !== '' ? [name] : [];
  });
  const isVisibility = visibility === 'private' || visibility === 'team' || visibility === 'public';
  return { ...(names.length > 0 && { tags: names }), ...(isVisibility && { visibility }) };
}
