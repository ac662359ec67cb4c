import { join } from 'node:path';
import { auditCommand } from '../../adapters/node-compat/cli/audit.ts';
import { NODE } from '../../adapters/node/runtime.ts';

/** Runs `postern audit verify` in a folder, over the data directory in it. */
export async function verifyIn(cwd: string, ...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const lines: string[] = [];
  const out = (line: string): void => void lines.push(`${line}\n`);
  const io = { out, err: out, env: {}, cwd, runtime: NODE };
  const code = await auditCommand(['verify', ...args, '--data-dir', join(cwd, 'data')], io);
  return { code, stdout: lines.join('') };
}
