/** The runtimes pinned in this folder. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const installed = (path: string): string => resolve(import.meta.dirname, 'node_modules', path);

/** Where each runtime is, once `npm ci` ran in this folder. */
export const RUNTIMES = {
  node: process.execPath,
  node22: installed('node22/bin/node'),
  node24: installed('node24/bin/node'),
  deno: installed('.bin/deno'),
  bun: installed('.bin/bun'),
  workerd: installed('.bin/workerd'),
} as const;

export type RuntimeName = keyof typeof RUNTIMES;

/** The command line that runs a TypeScript file of this checkout; without narrowed permissions, for tests. */
export function commandFor(runtime: Exclude<RuntimeName, 'workerd'>, file: string): readonly [string, ...string[]] {
  if (runtime === 'deno') return [RUNTIMES.deno, 'run', '--allow-all', file];
  if (runtime === 'bun') return [RUNTIMES.bun, '--bun', file];
  return [RUNTIMES[runtime], file];
}

export const isInstalled = (runtime: RuntimeName): boolean => existsSync(RUNTIMES[runtime]);
