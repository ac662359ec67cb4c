import { execFile } from 'node:child_process';
import { chown, glob, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import type { TestServer } from './redis.ts';
import { startServerProcess } from './server-process.ts';

const PASSWORD = 'postgres-canary-password';

/** Starts a real PostgreSQL with one superuser, `postern`; what was committed outlives `kill`. */
export async function startPostgres(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-postgres-'));
  const account = await unprivilegedAccount();
  const run = { ...account, cwd: directory };
  if (account) await chown(directory, account.uid, account.gid);
  const binaries = await postgresBinaries();
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, PASSWORD);
  const data = join(directory, 'data');
  const auth = ['--username=postern', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const initdb = promisify(execFile);
  await initdb(join(binaries, 'initdb'), ['-D', data, ...auth, '--no-sync', '--locale=C', '--encoding=UTF8'], run);

  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    // the operating system keeps what a killed process wrote
    fsync: 'off',
    shared_buffers: '16MB',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const start = () =>
    startServerProcess(join(binaries, 'postgres'), ['-D', data, ...args], /ready to accept connections/, run);
  let server = await start();
  return {
    url: `postgres://postern:${PASSWORD}@127.0.0.1:${port}/postgres`,
    password: PASSWORD,
    // an immediate shutdown: connections break, nothing is written, the next start recovers
    kill: () => server.stop('SIGQUIT'),
    restart: async () => {
      server = await start();
    },
    close: async () => {
      await server.stop('SIGQUIT');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function postgresBinaries(): Promise<string> {
  for await (const found of glob('/usr/lib/postgresql/*/bin')) return found;
  throw new Error('expected PostgreSQL below /usr/lib/postgresql');
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedAccount(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'postgres'])).stdout);
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}
