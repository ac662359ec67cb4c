import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { MASK } from '../registry/field-schema.ts';
import { Hidden } from './hidden.ts';

/**
 * Whether what is stored already says everything a body says. Secrets cannot be compared: one that is there passes for
 * the same.
 */
export function saysTheSame(body: Fields, view: Fields): boolean {
  return Object.entries(body).every(([name, value]) => {
    const stored = view[name] ?? view[`${name}Masked`];
    if (name === 'transport' && value === 'AUTO') return true;
    return name === 'passthroughHeaders' ? isSame(lowered(value), lowered(stored)) : isSame(value, stored);
  });
}

function isSame(value: unknown, stored: unknown): boolean {
  if (stored === MASK) return value !== undefined && value !== null;
  const plain = value instanceof Hidden ? value.reveal() : value;
  if (isNothing(plain) && isNothing(stored)) return true;
  if (typeof plain === 'string' && typeof stored === 'string') return canonical(plain) === canonical(stored);
  if (Array.isArray(plain) && Array.isArray(stored))
    return plain.length === stored.length && plain.every((item, index) => isSame(item, stored[index]));
  if (!isFields(plain) || !isFields(stored)) return plain === stored;
  return [...new Set([...Object.keys(plain), ...Object.keys(stored)])].every((name) =>
    isSame(plain[name], stored[name]),
  );
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && !(value instanceof Hidden) && Object.keys(value).length === 0);

const canonical = (text: string): string =>
  (/^https?:/i.test(text) ? URL.parse(text)?.href : undefined) ?? text.replaceAll('\r\n', '\n').trim();

const lowered = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((item: unknown) => (typeof item === 'string' ? item.toLowerCase() : item)) : value;
