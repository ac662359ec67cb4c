/** Levels of objects and lists in each other that a message may have; what people write has a few dozen. */
export const MAX_DEPTH = 1_000;

/**
 * Whether a JSON text has more levels than MAX_DEPTH. A text of a few megabytes can have millions: V8 takes seconds to
 * write such a value again (Node 26: 8 s for five million levels), and whoever walks it overflows the stack.
 */
export function isNestedTooDeep(text: string): boolean {
  // every level takes an opening and a closing character; most messages are shorter than that
  if (text.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++)
    switch (text.charCodeAt(at)) {
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) return true;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case QUOTE:
        at = endOfString(text, at);
    }
  return false;
}

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the string that begins at `start` has its closing quote; the end of the text when it has none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
