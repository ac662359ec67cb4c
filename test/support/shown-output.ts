/** What a document shows that a command prints, on whatever machine and day. */

/** What differs from run to run, as documents write it, and what stands for it. */
const VARYING: readonly (readonly [shape: RegExp, source: string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`],
  // an instance
  [/web-1:\d+/g, String.raw`[^\s:]+:\d+`],
  // a vault key
  [/\b[0-9a-f]{8}\b/g, '[0-9a-f]{8}'],
  [/(?<=generation )\d+/g, String.raw`\d+`],
  [/\d+(?= (?:records|sealed))/g, String.raw`\d+`],
  // columns
  [/ {2,}/g, ' +'],
];

/** Matches what reads as it is shown, but for what differs from run to run. */
export function printedAs(shown: string): RegExp {
  const varying = VARYING.flatMap(([shape, source]) =>
    [...shown.matchAll(shape)].map(({ 0: text, index }) => ({ index, end: index + text.length, source })),
  );
  let pattern = '';
  let done = 0;
  for (const { index, end, source } of varying.toSorted((a, b) => a.index - b.index)) {
    if (index < done) continue;
    pattern += literally(shown.slice(done, index)) + source;
    done = end;
  }
  return new RegExp(`^${pattern}${literally(shown.slice(done))}$`);
}

/** What a parsed text is made of: its names, and the types of its values. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
