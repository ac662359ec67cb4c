import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { snakeOf } from '../registry/field-schema.ts';

/** A member in camelCase or snake_case: server.json was written in one before September 2025, ContextForge writes both. */
export function memberOf(fields: Fields, name: string): unknown {
  return fields[name] ?? fields[snakeOf(name)];
}

/** A text member in either spelling; undefined where it is empty or none. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = memberOf(fields, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The members of a list in either spelling that are objects. */
export function listOf(fields: Fields, name: string): readonly Fields[] {
  const value = memberOf(fields, name);
  return Array.isArray(value) ? value.filter(isFields) : [];
}
