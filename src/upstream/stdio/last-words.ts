import type { Secret } from '../../base/secret.ts';

/** What people are shown at most. */
const SHOWN_CHARS = 1000;
/** Shorter values are hidden only where they stand alone: `1` is no secret, and is part of many words. */
const SHORT_CHARS = 4;
const MASK = '*****';

/** Escape sequences of terminals, then whatever else does not print. */
const UNPRINTABLE = /[^\P{Cc}\n]\[[0-9;?]*[ -/]*[@-~]|[^\P{Cc}\n]\][^\p{Cc}]*|[^\P{C}\n]/gu;

/**
 * The end of what a program said, as it may be shown: printable, short, and with none of `secrets` in it.
 *
 * @param cut whether `text` begins in the middle; its first line may then be the rest of a secret, and is left out
 */
export function lastWords({ text, cut }: { text: string; cut: boolean }, secrets: readonly Secret[]): string {
  const whole = cut ? text.slice(text.includes('\n') ? text.indexOf('\n') + 1 : text.length) : text;
  const values = secrets.map((secret) => printable(secret.reveal()));
  // a value of several lines may be cut or indented, so each of its lines is a secret too
  const needles = values.flatMap((value) => [value, ...value.split('\n').map((line) => line.trim())]);
  const longestFirst = [...new Set(needles)].filter((needle) => needle !== '').toSorted((a, b) => b.length - a.length);
  let shown = printable(whole);
  for (const needle of longestFirst) shown = hidden(shown, needle);
  return shown.trim().slice(-SHOWN_CHARS);
}

const printable = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll('\t', ' ').replaceAll(UNPRINTABLE, '');

function hidden(text: string, needle: string): string {
  if (needle.length >= SHORT_CHARS) return text.replaceAll(needle, MASK);
  const escaped = needle.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  return text.replaceAll(new RegExp(String.raw`(?<![\p{L}\p{N}_])${escaped}(?![\p{L}\p{N}_])`, 'gu'), MASK);
}
