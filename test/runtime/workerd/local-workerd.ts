/** A real workerd with the Worker in it, over a folder that holds what D1 and KV do. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { RUNTIMES } from '../programs.ts';
import { bundle } from './bundle.ts';
import { capnpOf } from './capnp.ts';
import type { LocalCertificate } from './capnp.ts';

export interface LocalWorkerdOptions {
  /** Host and port; port 0 picks one. */
  readonly address: string;
  readonly dataDir: string;
  /** The texts of the Worker: variables and secrets, which go by environment and into no file. */
  readonly texts: Readonly<Record<string, string>>;
  /** Client certificates by the name of their binding. */
  readonly certificates?: Readonly<Record<string, LocalCertificate>>;
  /** Authorities believed beside the public ones: PEM. */
  readonly trusted?: readonly string[];
  /** Takes each line of the log. */
  readonly onLog: (line: string) => void;
  /** A header that says where a request comes from; default none. */
  readonly placeHeader?: string;
  /** Whether cron can be rung by hand; default false. */
  readonly cron?: boolean;
  /** Another Worker in the place of Postern's. */
  readonly entry?: string;
}

/** A workerd that listens. */
export interface LocalWorkerd {
  readonly port: number;
  /** Where each request is a tick of cron; 0 without cron. */
  readonly cronPort: number;
  readonly pid: number;
  /** The exit code, once it ended. */
  readonly exited: Promise<number | null>;
  /** Takes no new requests, lets those that run finish, and ends. */
  stop(): Promise<number | null>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** Starts one; fails with what it printed when it ends before it listens. */
export async function startLocalWorkerd(options: LocalWorkerdOptions): Promise<LocalWorkerd> {
  const { address, dataDir, texts, onLog, cron = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'postern-workerd-'));
  const storage = resolve(dataDir);
  await mkdir(storage, { recursive: true });
  const names = { worker: 'worker.js', stores: 'stores.js', config: 'config.capnp' };
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  const [worker, stores] = await Promise.all([bundle(options.entry), bundle('test/runtime/workerd/stores-worker.ts')]);
  await Promise.all([write(names.worker, worker.text), write(names.stores, stores.text)]);
  const config = capnpOf({
    address,
    ...names,
    storage,
    texts: Object.keys(texts),
    certificates: options.certificates ?? {},
    trusted: options.trusted ?? [],
    placeHeader: options.placeHeader,
    cronAddress: cron ? '127.0.0.1:0' : undefined,
    compatibilityDate: await compatibilityDate(),
  });
  await write(names.config, config);
  const child = spawn(RUNTIMES.workerd, ['serve', names.config, '--control-fd=3'], {
    cwd: folder,
    env: { ...texts },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(async ([code]) => {
    await rm(folder, { recursive: true, force: true });
    return code as number | null;
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream as Readable }).on('line', (line) => onLog(lineOf(line)));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const ports = await listening(child, cron ? ['http', 'cron'] : ['http'], exited);
    return {
      port: ports.get('http') ?? 0,
      cronPort: ports.get('cron') ?? 0,
      pid: child.pid ?? 0,
      exited,
      stop: () => {
        child.kill('SIGTERM');
        return exited;
      },
      kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** What the Worker itself logged as it is; what workerd has to say as a line of ours. */
function lineOf(line: string): string {
  let told: { readonly message?: unknown; readonly level?: unknown } = {};
  try {
    told = JSON.parse(line) as typeof told;
  } catch {
    // not everything it prints is structured
  }
  const message = typeof told.message === 'string' ? told.message : line;
  if (/^\{"time":.*\}$/.test(message)) return message;
  const level = told.level === 'log' || told.level === undefined ? 'info' : told.level;
  return JSON.stringify({ time: new Date().toISOString(), level, event: 'library.printed', message });
}

async function listening(
  child: ChildProcess,
  sockets: readonly string[],
  exited: Promise<number | null>,
): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  const all = new Promise<void>((resolve) => {
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      const { socket, port } = JSON.parse(line) as { socket: string; port: number };
      ports.set(socket, port);
      if (sockets.every((name) => ports.has(name))) resolve();
    });
  });
  const ended = exited.then((code) => {
    throw new Error(`workerd ended with ${code} before it listened`);
  });
  await Promise.race([all, ended]);
  return ports;
}

async function compatibilityDate(): Promise<string> {
  const toml = await readFile(resolve(import.meta.dirname, '../../../wrangler.toml'), 'utf8');
  const date = /^compatibility_date = "(.+)"$/m.exec(toml)?.[1];
  if (date === undefined) throw new Error('wrangler.toml has no compatibility_date');
  return date;
}
