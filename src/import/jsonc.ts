import { GatewayError } from '../base/errors.ts';

/**
 * JSON as people write it in configuration files: with comments, commas before a closing bracket, and a byte order mark.
 *
 * @throws GatewayError import_unreadable, with the line where it can be told; never with what stands there
 */
export function parseJsonc(text: string): unknown {
  const plain = withoutExtras(text);
  try {
    return JSON.parse(plain) as unknown;
  } catch (error) {
    // the message quotes the text, which may hold a secret, so it is no cause either
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = position === undefined ? undefined : plain.slice(0, Number(position)).split('\n').length;
    throw new GatewayError('import_unreadable', `expected JSON, met something else${line ? ` in line ${line}` : ''}`, {
      hint: 'comments and commas before a closing bracket are fine; everything else must be JSON',
    });
  }
}

/** Blanks instead of what JSON does not have, so that lines stay what they are. Looks at each character once. */
function withoutExtras(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  const blank = (start: number, end: number): void => {
    pieces.push(text.slice(copied, start), text.slice(start, end).replaceAll(/[^\r\n]/g, ' '));
    copied = end;
  };
  if (text.startsWith('\uFEFF')) blank(0, 1);
  let comma: number | undefined;
  let commaPiece = 0;
  for (let index = copied; index < text.length; index++) {
    const char = text[index] ?? '';
    const comment = char === '/' ? endOfComment(text, index) : undefined;
    if (comment !== undefined) {
      blank(index, comment);
      index = comment - 1;
    } else if (char === ',') {
      // a piece of its own, which may still be taken out
      pieces.push(text.slice(copied, index), ',');
      copied = index + 1;
      comma = index;
      commaPiece = pieces.length - 1;
    } else if (char === '"') {
      index = endOfString(text, index);
      comma = undefined;
    } else if (!/\s/.test(char)) {
      if (comma !== undefined && (char === '}' || char === ']')) pieces[commaPiece] = ' ';
      comma = undefined;
    }
  }
  return pieces.join('') + text.slice(copied);
}

/** The index after a comment; undefined where none begins. One without an end takes the rest. */
function endOfComment(text: string, start: number): number | undefined {
  const next = text[start + 1];
  if (next !== '/' && next !== '*') return undefined;
  const end = text.indexOf(next === '/' ? '\n' : '*/', start + 2);
  if (end < 0) return text.length;
  return next === '/' ? end : end + 2;
}

/** The index of the quote that ends a string, or of the last character. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '"') return index;
  }
  return text.length;
}
