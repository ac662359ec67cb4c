import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../adapters/node/main.ts');

export interface PosternOptions {
  readonly cwd: string;
  /** Beside PATH, the only variable taken over. */
  readonly env?: Readonly<Record<string, string>>;
  /** What runs the command line; default this Node, from the checkout. */
  readonly command?: readonly string[];
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `postern serve` process that printed its ready line. */
export interface ServingPostern {
  readonly url: string;
  readonly health: string;
  readonly pid: number;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves once a log line with this event was written. */
  logged(event: string): Promise<Record<string, unknown>>;
  signal(name: NodeJS.Signals): void;
  /** Stops reading its log: the pipe is closed. */
  dropLog(): void;
  /** The exit code, once it ended. */
  readonly exited: Promise<number | null>;
  /** Ends it in any case; for cleaning up. */
  kill(): Promise<void>;
}

/** Runs a command to its end. */
export async function runPostern(args: readonly string[], options: PosternOptions): Promise<Ran> {
  const child = start(args, options);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Starts `postern serve --port 0` with more flags; fails with what it printed when it ends before it is ready. */
export async function servePostern(args: readonly string[], options: PosternOptions): Promise<ServingPostern> {
  const child = start(['serve', '--port', '0', ...args], options);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const ready = await Promise.race([until(child.stdout, () => readyLine(stdout())), exited]);
  if (typeof ready !== 'object' || ready === null) throw new Error(`postern ended with ${ready}:\n${stderr()}`);
  return {
    ...ready,
    pid: child.pid ?? 0,
    stdout,
    stderr,
    logged: (event) => until(child.stderr, () => logLine(stderr(), event)),
    signal: (name) => void child.kill(name),
    dropLog: () => void child.stderr.destroy(),
    exited,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function start(args: readonly string[], { cwd, env = {}, command = [process.execPath, MAIN] }: PosternOptions) {
  const [program = '', ...before] = command;
  return spawn(program, [...before, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(stream: NonNullable<ChildProcess['stdout']>): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

function until<T>(stream: NonNullable<ChildProcess['stdout']>, look: () => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const check = () => {
      const found = look();
      if (found === undefined) return;
      stream.off('data', check);
      resolve(found);
    };
    stream.on('data', check);
    check();
  });
}

function readyLine(text: string): { url: string; health: string } | undefined {
  const [line, rest] = text.split('\n');
  return rest === undefined ? undefined : (JSON.parse(line ?? '') as { url: string; health: string });
}

function logLine(text: string, event: string): Record<string, unknown> | undefined {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).findLast((line) => line['event'] === event);
}
