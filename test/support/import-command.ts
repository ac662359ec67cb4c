import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportCommand } from '../../adapters/node-compat/cli/import/export.ts';
import { importCommand } from '../../adapters/node-compat/cli/import/import.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import type { TestGateway } from './gateway.ts';

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One entry of a report, as `--json` prints it. */
export interface ReportedEntry {
  readonly source: string;
  readonly status: string;
  readonly name: string;
  readonly slug: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly problems: readonly { readonly kind: string; readonly name: string }[];
  readonly error?: { readonly code: string };
}

export interface Report {
  readonly format: string;
  readonly entries: readonly ReportedEntry[];
  readonly leftOut: readonly { readonly what: string; readonly count: number }[];
  readonly counts: Readonly<Record<string, number>>;
}

/** `postern import` and `postern export` against a gateway in this process, run in a folder of files. */
export interface ImportShell {
  write(name: string, content: unknown): Promise<void>;
  import(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** With `--json`. */
  report(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Report & { readonly code: number }>;
  export(args?: readonly string[]): Promise<Ran>;
  /** Everything printed so far. */
  printed(): string;
}

export async function openImportShell(gateway: TestGateway, cwd: string): Promise<ImportShell> {
  const remote = { POSTERN_URL: gateway.url, POSTERN_TOKEN: await gateway.token('operator', 'admin') };
  let printed = '';
  const run = async (command: typeof importCommand, args: readonly string[], env: Readonly<Record<string, string>>) => {
    const lines = { out: '', err: '' };
    const to = (name: keyof typeof lines) => (line: string) => {
      lines[name] += `${line}\n`;
      printed += `${line}\n`;
    };
    const io = { out: to('out'), err: to('err'), env: { ...remote, ...env }, cwd, runtime: NODE };
    const code = await command(args, io);
    return { code, ...lines };
  };
  return {
    write: (name, content) =>
      writeFile(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content)),
    import: (args, env = {}) => run(importCommand, args, env),
    async report(args, env = {}) {
      const { code, out } = await run(importCommand, [...args, '--json'], env);
      return { code, ...(JSON.parse(out) as Report) };
    },
    export: (args = []) => run(exportCommand, args, {}),
    printed: () => printed,
  };
}

/** Source and status of each entry. */
export const outcomes = ({ entries }: Report): Record<string, string> =>
  Object.fromEntries(entries.map(({ source, status }) => [source, status]));
