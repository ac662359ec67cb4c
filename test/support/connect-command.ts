import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { LineParser } from '../../src/wire/lines.ts';

/** The command line of this checkout, as a client's configuration would have it. */
export const POSTERN = {
  command: process.execPath,
  main: resolve(import.meta.dirname, '../../adapters/node/main.ts'),
};

/** A `postern connect` process spoken to line by line. */
export interface ConnectProcess {
  /** Every line of standard output so far. */
  readonly lines: string[];
  readonly stderr: () => string;
  write(bytes: string | Uint8Array): void;
  say(message: unknown): void;
  /** The next message nobody asked for yet; fails when the process ends before it came. */
  next(): Promise<Record<string, unknown>>;
  /** Ends its standard input. */
  end(): void;
  /** Stops reading its standard output. */
  dropOutput(): void;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
}

export function startConnect(args: readonly string[], env: Readonly<Record<string, string>> = {}): ConnectProcess {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(POSTERN.command, [POSTERN.main, 'connect', ...args], {
    env: { PATH, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...env },
  });
  const parser = new LineParser(64 * 1024 * 1024);
  const lines: string[] = [];
  let read = 0;
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    lines.push(...parser.push(chunk).map(String));
    child.emit('line');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const next = async () => {
    while (lines.length <= read) {
      const ended = await Promise.race([once(child, 'line').then(() => false), exited.then(() => true)]);
      if (ended && lines.length <= read) throw new Error(`postern connect ended:\n${stderr}`);
    }
    return JSON.parse(lines[read++] ?? '') as Record<string, unknown>;
  };
  return {
    lines,
    stderr: () => stderr,
    write: (bytes) => void child.stdin.write(bytes),
    say: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    next,
    end: () => void child.stdin.end(),
    dropOutput: () => void child.stdout.destroy(),
    signal: (name) => void child.kill(name),
    exited,
  };
}
