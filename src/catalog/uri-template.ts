/**
 * Whether a URI may come from a template: its literal parts appear in order, with something between them.
 *
 * Expressions are not parsed: an over-match only means that the upstream answers «not found» itself.
 * @see https://www.rfc-editor.org/rfc/rfc6570
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(/\{[^{}]*\}/);
  return matchesInOrder(literals, uri);
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
