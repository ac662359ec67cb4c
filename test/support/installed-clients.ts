/** Programs of other people that live in test/clients; `npm test` installs them (test/run.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const PACKAGES = resolve(import.meta.dirname, '../clients/node_modules/@modelcontextprotocol');

/** The conformance suite's package. */
export const CONFORMANCE = resolve(PACKAGES, 'conformance');
const PROGRAMS = {
  conformance: resolve(CONFORMANCE, 'dist/index.js'),
  inspector: resolve(PACKAGES, 'inspector/clients/launcher/build/index.js'),
} as const;

export interface ClientRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one to its end, on this Node. */
export async function runClient(
  program: keyof typeof PROGRAMS,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ClientRun> {
  const child = spawn(process.execPath, [PROGRAMS[program], ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
