import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { startServerProcess } from './server-process.ts';

/** A server of a test on loopback, with its own data. */
export interface TestServer {
  /** With user and password. */
  readonly url: string;
  readonly password: string;
  /** As a crash would; the data stays. */
  kill(): Promise<void>;
  /** Brings it back on the same port after `kill`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const PASSWORD = 'redis-canary-password';

/** Starts a real Redis; what was written outlives `kill`. */
export async function startRedis(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-redis-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--requirepass', PASSWORD];
  // the operating system keeps what a killed process wrote, so the log need not be flushed to the disk
  const durability = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no'];
  const start = () => startServerProcess('redis-server', [...args, ...durability], /Ready to accept connections/);
  let server = await start();
  return {
    url: `redis://:${PASSWORD}@127.0.0.1:${port}`,
    password: PASSWORD,
    kill: () => server.stop('SIGKILL'),
    restart: async () => {
      server = await start();
    },
    close: async () => {
      await server.stop('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
