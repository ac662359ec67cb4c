/** The built product as a child process, driven from outside only. */
import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const NODE: readonly string[] = [process.execPath, resolve(import.meta.dirname, '../dist/adapters/node/main.js')];

export interface PosternProcess {
  readonly pid: number;
  readonly url: string;
  /** From exec to the ready line, as seen from outside. */
  readonly readyMs: number;
  /** Asks it to drain and waits until it is gone. @throws Error when it did not end with 0. */
  stop(): Promise<void>;
}

/** This Node, writing a CPU profile into `folder` when it ends. */
export const profiledNode = (folder: string): string[] => {
  const [program = '', ...main] = NODE;
  return [program, ...profilingFlags(folder), ...main];
};

/** What makes a Node process write a CPU profile into `folder` when it ends. */
export const profilingFlags = (folder: string): string[] => [
  '--cpu-prof',
  '--cpu-prof-interval=200',
  `--cpu-prof-dir=${folder}`,
];

/**
 * Starts `postern serve` on a free port with its data and its log in `folder`.
 *
 * @param command what runs the command line; default this Node
 * @param env settings beside the environment's
 */
export async function startPostern(
  folder: string,
  command = NODE,
  env: Readonly<Record<string, string>> = {},
): Promise<PosternProcess> {
  const [program = '', ...before] = command;
  const startedMs = performance.now();
  const child = spawn(program, [...before, 'serve', '--port', '0', '--data-dir', join(folder, 'data')], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.pipe(createWriteStream(join(folder, 'postern.log')));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const ready = await Promise.race([
    readyLine(child.stdout),
    exited.then((code) => Promise.reject(new Error(`postern ended with ${code}, see ${folder}/postern.log`))),
  ]);
  return {
    pid: child.pid ?? 0,
    url: ready.url,
    readyMs: performance.now() - startedMs,
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      if (code !== 0) throw new Error(`postern ended with ${code} after SIGTERM`);
    },
  };
}

/** A token for the gateway whose data is in `folder`. */
export async function mintToken(folder: string): Promise<string> {
  const [program = '', ...before] = NODE;
  const args = ['token', '--sub', 'bench', '--role', 'admin', '--data-dir', join(folder, 'data')];
  const { stdout } = await promisify(execFile)(program, [...before, ...args], { cwd: folder });
  return stdout.trim();
}

async function readyLine(output: NodeJS.ReadableStream): Promise<{ url: string }> {
  for await (const line of createInterface({ input: output })) {
    const message = JSON.parse(line) as { event?: string; url: string };
    if (message.event === 'ready') return message;
  }
  throw new Error('postern printed no ready line');
}
