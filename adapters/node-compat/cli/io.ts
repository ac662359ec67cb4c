import type { Runtime } from '../runtime.ts';

/** What a command may touch of the process that runs it. */
export interface CliIo {
  /** One line on standard output. */
  out(line: string): void;
  /** One line on standard error. */
  err(line: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** What the command runs on. */
  readonly runtime: Runtime;
}

/** Runs with the arguments after its name; resolves with the exit code. */
export type Command = (argv: readonly string[], io: CliIo) => Promise<number>;
