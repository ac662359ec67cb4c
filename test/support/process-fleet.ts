import { formatVaultKeys, generateVaultKey } from '../../src/vault/vault-keys.ts';
import { mintPki } from './pki.ts';
import { startPlainMcpServer } from './plain-mcp-server.ts';
import type { PlainMcpServer } from './plain-mcp-server.ts';
import { runPostern, servePostern } from './postern.ts';
import type { ServingPostern } from './postern.ts';
import { startRedis } from './redis.ts';
import type { TestServer } from './redis.ts';
import { makeTempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** What GET /v1/rotation answers, as far as tests look at it. */
export interface FleetRead {
  readonly generation: { readonly number: number } | null;
  readonly converged: boolean;
  readonly instances: readonly {
    readonly name: string;
    readonly state: string;
    readonly problems: readonly { readonly name: string; readonly code: string }[];
  }[];
}

/** Processes that share a Redis, with one gateway, `up`, behind them that demands a client certificate. */
export interface ProcessFleet {
  /** May be replaced by the test: a process that was killed, by one that took its place. */
  readonly instances: ServingPostern[];
  readonly redis: TestServer;
  readonly upstream: PlainMcpServer;
  /** Two that the upstream accepts, as fields of a gateway; the first is in force at the start. */
  readonly identities: readonly [object, object];
  /** Starts another process, its store reached by `storage` where that is given. */
  serve(storage?: string): Promise<ServingPostern>;
  /** A REST call by an administrator; rejects when the process is gone. */
  api(
    instance: ServingPostern,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }>;
  fleetAt(instance: ServingPostern): Promise<FleetRead>;
  /** Resolves once the whole fleet of `count` serves the newest generation, as this instance sees it. */
  untilConverged(instance: ServingPostern, count: number): Promise<void>;
  /** Resolves once each process that runs serves the newest generation; those that were killed count no more. */
  untilServed(): Promise<void>;
  /** Calls the tool at each of these over and over until `work` is done; each at least once, and every call must succeed. How many there were. */
  whileCalled(served: readonly ServingPostern[], work: () => Promise<void>): Promise<number>;
  close(): Promise<void>;
}

export interface ProcessFleetOptions {
  /** What runs each process, taken in turns; default this Node. */
  readonly commands?: readonly (readonly string[])[];
  readonly env?: Readonly<Record<string, string>>;
}

/** @param storageOf how a process reaches the store, given its URL; default directly */
export async function startProcessFleet(
  count: number,
  storageOf: (index: number, url: string) => Promise<string> = (_, url) => Promise.resolve(url),
  { commands = [], env: further = {} }: ProcessFleetOptions = {},
): Promise<ProcessFleet> {
  const [redis, folder] = await Promise.all([startRedis(), makeTempFolder()]);
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  const [one, two] = await Promise.all(['one', 'two'].map((cn) => ca.issue({ cn, eku: 'client' })));
  const identityOf = (minted = one) => ({ client_cert: minted?.chainPem, client_key: minted?.keyPem });
  const identities = [identityOf(one), identityOf(two)] as const;
  const tls = { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requestCert: true, rejectUnauthorized: true };
  const upstream = await startPlainMcpServer(tls);
  const env = {
    POSTERN_STORAGE: redis.url,
    POSTERN_VAULT_KEYS: formatVaultKeys([generateVaultKey()]).reveal(),
    JWT_SECRET_KEY: crypto.randomUUID() + crypto.randomUUID(),
    ...further,
  };
  const serve = (storage = redis.url, command = commands[0]) =>
    servePostern([], {
      cwd: folder.path,
      env: { ...env, POSTERN_STORAGE: storage },
      ...(command && { command }),
    });
  const token = await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd: folder.path, env });
  const authorization = `Bearer ${token.stdout.trim()}`;
  const headers = { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

  const api: ProcessFleet['api'] = async ({ url }, method, path, body) => {
    const answer = await fetch(url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    return { status: answer.status, body: await answer.json() };
  };
  const fleetAt: ProcessFleet['fleetAt'] = async (instance) =>
    (await api(instance, 'GET', '/v1/rotation')).body as FleetRead;
  const untilConverged: ProcessFleet['untilConverged'] = (instance, expected) =>
    until(async () => {
      const { converged, instances: seen } = await fleetAt(instance);
      return converged && seen.filter(({ state }) => state === 'current').length === expected;
    });

  const isServed = async (instance: ServingPostern): Promise<boolean> => {
    const { instances: seen } = await fleetAt(instance);
    return instances.every(({ pid }) =>
      seen.some(({ name, state }) => name.endsWith(`:${pid}`) && state === 'current'),
    );
  };

  const instances = await Promise.all(
    Array.from({ length: count }, async (_, index) =>
      serve(await storageOf(index, redis.url), commands[index % commands.length]),
    ),
  );
  const [first] = instances;
  if (first === undefined) throw new Error('expected a fleet of at least one');
  const fields = { name: 'up', url: upstream.url, ca_certificate: ca.pem, ...identities[0] };
  const { status } = await api(first, 'POST', '/v1/gateways', fields);
  if (status !== 200) throw new Error(`not registered: ${status}`);
  await untilConverged(first, count);

  return {
    instances,
    redis,
    upstream,
    identities,
    serve,
    api,
    fleetAt,
    untilConverged,
    untilServed: async () => {
      for (const instance of instances) await until(() => isServed(instance));
    },
    async whileCalled(served, work) {
      const over = new AbortController();
      let calls = 0;
      const params = { name: 'up_echo', arguments: { text: 'hi' } };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      const callers = served.map(async ({ url }) => {
        do {
          const text = await (await fetch(`${url}/mcp`, { method: 'POST', headers, body })).text();
          if (!text.includes('"result"')) throw new Error(`a call failed: ${text}`);
          calls++;
        } while (!over.signal.aborted);
      });
      await Promise.all([work().finally(() => over.abort()), ...callers]);
      return calls;
    },
    async close() {
      for (const instance of instances) await instance.kill();
      await upstream.close();
      await redis.close();
      await folder.remove();
    },
  };
}
