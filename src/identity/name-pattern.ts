/**
 * Whether a name is what a pattern says: `*` stands for any text but none. Takes time that grows with the name, not
 * with the ways there are to match.
 */
export function matchesName(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  const end = name.length - tail.length;
  let position = head.length;
  for (const literal of rest) {
    // the star before it stands for a character at least
    const found = name.indexOf(literal, position + 1);
    if (found < 0) return false;
    position = found + literal.length;
  }
  return position < end;
}
