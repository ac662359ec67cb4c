import { matchesInOrder } from './uri-template.ts';

const WILDCARD = /\*|\{[^{}]*\}/;

/** Whether a text stands for more than itself: `*` and `{…}` stand for anything, also for nothing. */
export const isPattern = (text: string): boolean => WILDCARD.test(text);

/**
 * Tells what any of these names or patterns means. Names are looked up at once; patterns are tried in turn, in time
 * that grows with the text and not with what could be matched in how many ways.
 */
export function matcherOf(texts: readonly string[]): (value: string) => boolean {
  const names = new Set(texts);
  const patterns = texts.filter(isPattern).map((text) => text.split(WILDCARD));
  return (value) => names.has(value) || patterns.some((literals) => matchesInOrder(literals, value));
}
