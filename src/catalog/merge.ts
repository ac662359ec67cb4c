import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';

/** The union of what several servers can do: a capability is there when any has it, a flag when any sets it. */
export function mergeCapabilities(all: readonly Fields[]): Fields {
  // a Map, since servers choose the names and an object has some of its own
  const merged = new Map<string, unknown>();
  for (const capabilities of all)
    for (const [name, value] of Object.entries(capabilities)) merged.set(name, mergeValue(merged.get(name), value));
  return Object.fromEntries(merged);
}

function mergeValue(known: unknown, more: unknown): unknown {
  if (isFields(known) && isFields(more)) return mergeCapabilities([known, more]);
  return known === undefined || known === false ? more : known;
}

/** Instructions of several servers, each under its name. */
export function mergeInstructions(
  parts: readonly { readonly name: string; readonly instructions: unknown }[],
): string | undefined {
  const texts = parts.flatMap(({ name, instructions }) =>
    typeof instructions === 'string' && instructions !== '' ? [`${name}: ${instructions}`] : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n\n');
}
