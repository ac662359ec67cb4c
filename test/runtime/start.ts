/**
 * Runs a program on a runtime of this machine: the one on PATH, else the one pinned here (`npm ci` in this folder).
 * What `npm run start:deno`, `start:bun` and `start:workers` call.
 */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

const [program = '', ...args] = process.argv.slice(2);
const path = [process.env['PATH'], join(import.meta.dirname, 'node_modules/.bin')].join(delimiter);
// a process group of its own: Ctrl-C would reach it twice, from the terminal and from here, and twice means at once
const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, PATH: path }, detached: true });
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.once('error', () => {
  console.error(`${program} is not on PATH: install it, or run \`npm ci --prefix test/runtime\``);
  process.exitCode = 127;
});
child.once('exit', (code, signal) => (process.exitCode = code ?? (signal === null ? 1 : 128)));
