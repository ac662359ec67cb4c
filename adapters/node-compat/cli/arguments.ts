import { parseArgs } from 'node:util';
import type { ParseArgsOptionDescriptor } from 'node:util';
import { nearest } from '../../../src/index.ts';

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {}

/** A command line, read. */
export interface Arguments {
  /** By flag name; switches are `true`. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
}

/** The flags a command takes, as node:util reads them. */
export type Flags = Readonly<Record<string, ParseArgsOptionDescriptor>>;

/** Flags every command takes. */
const COMMON_FLAGS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
} as const satisfies Flags;

/**
 * Reads a command line strictly: an unknown flag is an error that names the nearest known one.
 *
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], flags: Flags): Arguments {
  const options = { ...COMMON_FLAGS, ...flags };
  for (const argument of argv) {
    if (argument === '--') break;
    const name = /^--([^=]+)/.exec(argument)?.[1];
    if (name !== undefined && !(name in options))
      throw new UsageError(`there is no flag --${name}; the nearest is --${nearest(name, Object.keys(options))}`);
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
    });
    return { flags: values, positionals };
  } catch (error) {
    // the messages of node:util name the flag; what follows the first sentence is advice for programmers
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error), {
      cause: error,
    });
  }
}

/** A flag's text, or undefined. */
export function textFlag({ flags }: Arguments, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A flag's seconds, or undefined. @throws UsageError unless they are a number from 1 to a day */
export function secondsFlag(parsed: Arguments, name: string): number | undefined {
  const text = textFlag(parsed, name);
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 86_400) throw new UsageError(`expected --${name} as 1 to 86400 seconds, met ${text}`);
  return seconds;
}

/** The one positional argument there must be. @throws UsageError */
export function onlyPositional({ positionals }: Arguments, what: string): string {
  const [value, extra] = positionals;
  if (value === undefined) throw new UsageError(`expected ${what}`);
  if (extra !== undefined) throw new UsageError(`expected only ${what}, met ${extra} too`);
  return value;
}

/** Refuses anything that is no flag. @throws UsageError */
export function refusePositionals({ positionals }: Arguments): void {
  if (positionals.length > 0) throw new UsageError(`expected flags only, met ${positionals.join(' ')}`);
}
