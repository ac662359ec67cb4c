import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certsCommand } from '../../adapters/node-compat/cli/certs/certs.ts';

export interface CertsRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CertsWorkspace {
  readonly directory: string;
  path(...parts: string[]): string;
  /** Runs `postern certs …` in the workspace. */
  run(args: string, env?: Record<string, string>): Promise<CertsRun>;
  /** Every path below the workspace with its mode in octal, folders with a slash. */
  tree(): Promise<Record<string, string>>;
  remove(): Promise<void>;
}

/** An empty folder to run the certificates command in. */
export async function openCertsWorkspace(): Promise<CertsWorkspace> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-certs-'));
  return {
    directory,
    path: (...parts) => join(directory, ...parts),
    run: async (args, env = {}) => {
      const lines = { out: [] as string[], err: [] as string[] };
      const code = await certsCommand(args.split(' ').filter(Boolean), {
        out: (line) => lines.out.push(line),
        err: (line) => lines.err.push(line),
        env,
        cwd: directory,
      });
      return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
    },
    tree: async () => {
      const names = (await readdir(directory, { recursive: true })).sort();
      const entries = names.map(async (name) => {
        const stats = await stat(join(directory, name));
        return [stats.isDirectory() ? `${name}/` : name, (stats.mode & 0o777).toString(8)] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
