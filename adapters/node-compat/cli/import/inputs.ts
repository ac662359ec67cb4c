import { resolve } from 'node:path';
import { readTextFile } from '../../files/file-reader.ts';
import { UsageError } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';

/** Values that were given by id. */
export interface Inputs {
  readonly get: (id: string) => string | undefined;
  /** Refuses ids nothing asked for, which are mostly misspelt. @throws UsageError */
  refuseUnused(): void;
}

/** Reads `--input ID=VALUE` and `--input-file ID=FILE`. @throws UsageError, GatewayError file_refused */
export async function readInputs({ flags }: Arguments, cwd: string): Promise<Inputs> {
  const values = new Map<string, string>();
  const used = new Set<string>();
  const take = (flag: string, id: string, value: string): void => {
    if (values.has(id)) throw new UsageError(`expected one value for ${id}, met another one in --${flag}`);
    values.set(id, value);
  };
  for (const [id, value] of pairsOf(flags, 'input')) take('input', id, value);
  for (const [id, path] of pairsOf(flags, 'input-file'))
    take('input-file', id, (await readTextFile(resolve(cwd, path), path)).replace(/\r?\n$/, ''));
  return {
    get: (id) => {
      if (values.has(id)) used.add(id);
      return values.get(id);
    },
    refuseUnused() {
      const unused = [...values.keys()].filter((id) => !used.has(id));
      if (unused.length > 0)
        throw new UsageError(
          `nothing in the file asks for ${unused.join(', ')}; --dry-run without it says what is missing`,
        );
    },
  };
}

function pairsOf(flags: Arguments['flags'], name: string): readonly (readonly [string, string])[] {
  return ((flags[name] ?? []) as readonly string[]).map((given) => {
    const [, id, value] = /^([^=]+)=([^]*)$/.exec(given) ?? [];
    // the text may be a value whose id was forgotten
    if (id === undefined || value === undefined) throw new UsageError(`expected --${name} as ID=…`);
    return [id, value] as const;
  });
}
