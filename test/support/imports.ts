import type { Fields } from '../../src/base/fields.ts';
import { Hidden } from '../../src/import/hidden.ts';
import type { ImportedGateway, ImportFile } from '../../src/import/imported-entry.ts';
import { readImport } from '../../src/import/read-import.ts';
import type { Variables } from '../../src/import/variables.ts';

/** Where the variables of an imported file get their values in a test. */
export interface Given {
  readonly environment?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, string>>;
}

export function variablesOf({ environment = {}, inputs = {}, folders = {} }: Given = {}): Variables {
  return {
    environment: (name) => environment[name],
    input: (id) => inputs[id],
    folder: (name) => folders[name],
  };
}

/** A file that is read, given as a text or as what its JSON says. */
export function readFile(file: unknown, given: Given = {}): ImportFile {
  return readImport(typeof file === 'string' ? file : JSON.stringify(file), variablesOf(given));
}

/** The only entry of a file, which must be a gateway. */
export function onlyGateway(file: unknown, given: Given = {}): ImportedGateway {
  const { entries } = readFile(file, given);
  const [entry] = entries;
  if (entries.length !== 1 || entry?.kind !== 'gateway') throw new Error(`met ${JSON.stringify(entries)}`);
  return entry;
}

/** A body with secrets in the open, and what is shown instead of them. */
export function opened(value: unknown): unknown {
  if (value instanceof Hidden) return { secret: value.reveal(), shown: value.shown };
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value as Fields).map(([name, member]) => [name, opened(member)]));
}

/** The ids of what an entry lacks. */
export const missingIn = ({ problems }: Pick<ImportedGateway, 'problems'>): string[] =>
  problems.map(({ name }) => name);
