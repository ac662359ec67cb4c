/** Gateways served by the runtimes themselves, each a process of its own over a data directory. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BUN } from '../../adapters/bun/runtime.ts';
import { DENO } from '../../adapters/deno/runtime.ts';
import type { Runtime } from '../../adapters/node-compat/runtime.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { RUNTIMES } from '../runtime/programs.ts';
import { gatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { runPostern, servePostern } from './postern.ts';
import type { Ran, ServingPostern } from './postern.ts';
import { makeTempFolder } from './temp-folder.ts';
import type { TempFolder } from './temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const main = (adapter: string): string => join(ROOT, `adapters/${adapter}/main.ts`);

/** A runtime, and what runs Postern's command line on it. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly runtime: Runtime;
}

/** Deno has no more permissions here than `npm run start:deno` gives it. */
export const SUBJECTS = {
  node: { name: 'Node 26', command: [RUNTIMES.node, main('node')], runtime: NODE },
  node22: { name: 'Node 22', command: [RUNTIMES.node22, main('node')], runtime: NODE },
  node24: { name: 'Node 24', command: [RUNTIMES.node24, main('node')], runtime: NODE },
  deno: { name: 'Deno', command: [RUNTIMES.deno, 'run', ...denoPermissions(), main('deno')], runtime: DENO },
  bun: { name: 'Bun', command: [RUNTIMES.bun, main('bun')], runtime: BUN },
} as const satisfies Readonly<Record<string, Subject>>;

/** The flags of `npm run start:deno`. */
export function denoPermissions(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  const permissions = scripts['start:deno']?.match(/--allow-\S+/g);
  if (!permissions) throw new Error('npm run start:deno names no permissions');
  return [...permissions];
}

/** A gateway that serves, and stays the same one when it is started anew. */
export interface RuntimeGateway extends GatewayClient {
  readonly url: string;
  readonly health: string;
  /** Of an administrator, minted by the runtime's own `postern token`. */
  readonly token: string;
  readonly folder: TempFolder;
  /** Writes files into its folder. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Everything the processes printed so far. */
  printed(): string;
  /** Resolves once the process wrote a log line with this event. */
  logged(event: string): Promise<Record<string, unknown>>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once it ended. */
  readonly exited: Promise<number | null>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** Starts it again over the same data, on the runtime it had or another one. */
  start(subject?: Subject): Promise<void>;
  /** Runs another command of the same runtime in its folder. */
  run(args: readonly string[]): Promise<Ran>;
  close(): Promise<void>;
}

export interface RuntimeGatewayOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one over a fresh data directory; close it. */
export async function startRuntimeGateway(
  first: Subject,
  { args = [], env = {} }: RuntimeGatewayOptions = {},
): Promise<RuntimeGateway> {
  const folder = await makeTempFolder();
  const options = ({ command }: Subject) => ({ cwd: folder.path, env, command });
  const served: ServingPostern[] = [await servePostern(args, options(first))];
  let subject = first;
  // there always is one: the first was started above
  const current = () => served.at(-1) as ServingPostern;
  const run: RuntimeGateway['run'] = (argv) => runPostern(argv, options(subject));
  const minted = await run(['token', '--sub', 'ann', '--role', 'admin']);
  if (minted.code !== 0) throw new Error(minted.stderr);
  const token = minted.stdout.trim();

  return {
    ...gatewayClient(() => current().url, token),
    get url() {
      return current().url;
    },
    get health() {
      return current().health;
    },
    token,
    folder,
    async write(files) {
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
    },
    printed: () => served.map((process) => process.stdout() + process.stderr()).join(''),
    logged: (event) => current().logged(event),
    signal: (name) => current().signal(name),
    get exited() {
      return current().exited;
    },
    stop: () => {
      current().signal('SIGTERM');
      return current().exited;
    },
    async start(next = subject) {
      subject = next;
      served.push(await servePostern(args, options(next)));
    },
    run,
    async close() {
      await current().kill();
      await folder.remove();
    },
  };
}
