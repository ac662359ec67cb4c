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

/** Whether a text is these literals in order, with anything between them. */
export function matchesInOrder(literals: readonly string[], text: string): boolean {
  const [head = '', ...rest] = literals;
  const tail = rest.pop();
  if (tail === undefined) return text === head;
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let position = head.length;
  for (const literal of rest) {
    const found = text.indexOf(literal, position);
    if (found < 0 || found + literal.length > text.length - tail.length) return false;
    position = found + literal.length;
  }
  return true;
}
