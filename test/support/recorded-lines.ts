import type { CliIo } from '../../adapters/node-compat/cli/io.ts';
import { NODE } from '../../adapters/node/runtime.ts';

export interface RecordedLines {
  readonly io: CliIo;
  /** Lines of standard output so far. */
  readonly out: readonly string[];
  /** Lines of standard error so far. */
  readonly err: readonly string[];
}

/** What a command may touch, remembered. */
export function recordLines(env: Readonly<Record<string, string>> = {}): RecordedLines {
  const [out, err] = [[] as string[], [] as string[]];
  return {
    out,
    err,
    io: { out: (line) => void out.push(line), err: (line) => void err.push(line), env, cwd: '/', runtime: NODE },
  };
}
