/** The parts of a document that can be checked. */

/** A fenced block. */
export interface Fence {
  /** What follows the opening fence; `''` for nothing. */
  readonly language: string;
  readonly text: string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** Every fenced block, in order. */
export function fencesOf(markdown: string): Fence[] {
  return [...markdown.matchAll(FENCE)].map(([, language = '', text = '']) => ({ language, text }));
}

/** What stands in backticks outside fenced blocks, one entry each. */
export function codeSpansOf(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text.replaceAll('\\|', '|'));
}

/** Where the links of a document lead. */
export function linksOf(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The text under a heading, up to the next heading of any level. */
export function sectionOf(markdown: string, heading: string): string {
  const [, section = ''] = new RegExp(`^#+ ${heading}\\n([\\s\\S]*?)(?=^#+ |(?![\\s\\S]))`, 'm').exec(markdown) ?? [];
  return section;
}

/** The rows of every table under a heading, without header and rule; cells as they are written. */
export function rowsOf(section: string): string[][] {
  const lines = withoutFences(section).split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const isRule = (line: string): boolean => /^\|(?: *-+ *\|)+$/.test(line);

const withoutFences = (markdown: string): string => markdown.replaceAll(FENCE, '');
