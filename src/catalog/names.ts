import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../base/bytes.ts';

/** Model APIs take tool names of at most this many characters. */
export const MAX_NAME_CHARACTERS = 64;

const HASH_CHARACTERS = 12;

/**
 * The name under which a joined server publishes a tool or prompt: the prefix and the original spelling. What is longer
 * than clients take keeps its head and ends in a hash of the whole, so that it is the same on every replica and differs
 * from its neighbours; the catalogue knows the way back.
 */
export function publishedName(prefix: string, name: string): string {
  const whole = prefix + name;
  if (whole.length <= MAX_NAME_CHARACTERS) return whole;
  const head = whole.slice(0, MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1).replaceAll(/[^\w.-]/g, '_');
  return `${head}_${hashOf(whole)}`;
}

const hashOf = (text: string): string => toHex(sha256(utf8(text))).slice(0, HASH_CHARACTERS);
