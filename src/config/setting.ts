import type { ValueParser } from './values.ts';

/** One setting: its names, how its value is read, and a line of help. */
export interface Setting<T> {
  readonly env: string;
  /** A second environment name, used when the first is unset. */
  readonly alias?: string;
  /** Without the dashes; absent where a value must not show in a process list. */
  readonly flag?: string;
  /** False where postern.yaml cannot give it. */
  readonly inFile?: false;
  /** What stands for the value in help. */
  readonly placeholder: string;
  readonly repeatable?: true;
  /** What is printed instead of a value that holds a secret. */
  readonly masked?: (value: T) => string;
  readonly parse: ValueParser<T>;
  readonly fallback: T;
  readonly help: string;
}

/** A setting that always has a value. */
export const setting = <T>(row: Setting<T>): Setting<T> => row;
/** A setting that may be unset. */
export const optional = <T>(row: Omit<Setting<T | undefined>, 'fallback'>): Setting<T | undefined> => ({
  ...row,
  fallback: undefined,
});

/** The key of a setting in postern.yaml: its environment name in lower case without the prefix. */
export function fileKeyOf({ env, inFile }: Pick<Setting<unknown>, 'env' | 'inFile'>): string | undefined {
  return inFile === false ? undefined : env.replace(/^POSTERN_/, '').toLowerCase();
}
