/** `postern serve` processes that share keys and a Redis, and the command line that speaks to them. */
import { join } from 'node:path';
import { bare, openCallers } from './callers.ts';
import { runPostern, servePostern } from './postern.ts';
import type { Ran, ServingPostern } from './postern.ts';
import { startRedis } from './redis.ts';
import { makeTempFolder } from './temp-folder.ts';

export interface ServedFleet {
  /** Commands run here. */
  readonly cwd: string;
  readonly instances: readonly ServingPostern[];
  /** Starts one more, with these variables over those all have. */
  join(env?: Readonly<Record<string, string>>): Promise<ServingPostern>;
  /** Runs a command against the first instance. */
  run(...args: readonly string[]): Promise<Ran>;
  /** A REST call to the first instance by an administrator; fails loudly. */
  api(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** Runs a command over the store itself, with these variables over those all have. */
  runOverStore(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Calls a tool once at an instance, over connections that lie open or new ones; the text it answered. */
  call(instance: ServingPostern, tool?: string): Promise<string>;
  readonly close: () => Promise<void>;
}

/** Starts `count` of them, which find files below `cwd`; close it. */
export async function startServedFleet(
  count: number,
  shared: Readonly<Record<string, string>> = {},
): Promise<ServedFleet> {
  const redis = await startRedis();
  const folder = await makeTempFolder();
  const cwd = folder.path;
  const { stdout } = await runPostern(['vault', 'key', '--json'], { cwd });
  const keys = JSON.parse(stdout) as Record<string, string>;
  const env = { ...keys, POSTERN_STORAGE: redis.url, POSTERN_CERT_DIRS: cwd, ...shared };
  const instances: ServingPostern[] = [];
  const tokenOf = async (role: string) => {
    const ran = await runPostern(['token', '--sub', 'ann', '--role', role], { cwd, env });
    return ran.stdout.trim();
  };
  const [admin, user] = [await tokenOf('admin'), await tokenOf('user')];

  const fleet: ServedFleet = {
    cwd,
    instances,
    async join(own = {}) {
      const dataDir = join(cwd, `data-${instances.length}`);
      const instance = await servePostern(['--data-dir', dataDir], { cwd, env: { ...env, ...own } });
      instances.push(instance);
      return instance;
    },
    run: (...args) => runPostern(args, { cwd, env: { POSTERN_URL: instances[0]?.url ?? '', POSTERN_TOKEN: admin } }),
    async api(method, path, body) {
      const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
      const response = await fetch(`${instances[0]?.url}${path}`, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    runOverStore: (args, own = {}) => runPostern(args, { cwd, env: { ...env, ...own } }),
    async call(instance, tool = 'echo') {
      const callers = openCallers(instance.url, user, 1);
      try {
        return await callers.call(bare('/servers/up/mcp', tool), 'hello');
      } finally {
        await callers.close();
      }
    },
    async close() {
      for (const instance of instances) await instance.kill();
      await redis.close();
      await folder.remove();
    },
  };
  for (let started = 0; started < count; started++) await fleet.join();
  return fleet;
}
