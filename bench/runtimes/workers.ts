import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { Secret, formatVaultKeys, generateVaultKey, importTokenKey, mintToken, parseConfig } from '../../src/index.ts';
import { startLocalWorkerd } from '../../test/runtime/workerd/local-workerd.ts';
import type { LocalWorkerd, LocalWorkerdOptions } from '../../test/runtime/workerd/local-workerd.ts';
import type { RelayMaterial } from '../load/relay.ts';
import type { Platform } from '../load/stage.ts';
import type { Worker } from '../load/worker.ts';

const RELAY = 'bench/runtimes/relay-worker.ts';
const ADDRESS = '127.0.0.1:0';

const identity = ({ ca, cert, key }: Pick<RelayMaterial, 'ca' | 'cert' | 'key'>) =>
  ({ trusted: [ca], certificates: { CLIENT: { certPem: cert, keyPem: key } } }) satisfies Partial<LocalWorkerdOptions>;

/** workerd of this machine; the time to ready holds the bundling of the Worker too. */
export const workers: Platform = {
  async startPostern(folder, { ca, client }) {
    const jwtSecretKey = randomBytes(32).toString('base64url');
    const texts = {
      HOST: '127.0.0.1',
      POSTERN_STORAGE: 'd1:DB',
      POSTERN_VAULT_KEYS: formatVaultKeys([generateVaultKey()]).reveal(),
      JWT_SECRET_KEY: jwtSecretKey,
    };
    const log = createWriteStream(join(folder, 'postern.log'));
    const startedMs = performance.now();
    const workerd = await startLocalWorkerd({
      address: ADDRESS,
      dataDir: join(folder, 'data'),
      texts,
      onLog: (line) => void log.write(`${line}\n`),
      ...identity({ ca, ...client }),
    });
    const url = `http://127.0.0.1:${workerd.port}`;
    // the gateway begins with its first request
    await fetch(`${url}/ready`);
    const readyMs = performance.now() - startedMs;
    const signing = { ...parseConfig({}).values, jwtSecretKey: new Secret(jwtSecretKey) };
    const admin = { subject: 'bench', role: 'admin', ttlSeconds: 3600 } as const;
    return {
      pid: workerd.pid,
      url,
      readyMs,
      token: await mintToken(admin, await importTokenKey(signing), systemClock),
      tls: { client_binding: 'CLIENT' },
      stop: async () => void (await workerd.stop()),
    };
  },
  startRelay,
};

/** A relay in a workerd of its own, once it is told where to. */
function startRelay(): Worker {
  let workerd: LocalWorkerd | undefined;
  const ended = Promise.withResolvers<void>();
  return {
    get pid() {
      return workerd?.pid ?? 0;
    },
    async ask<Answer>(message: object) {
      const material = message as RelayMaterial;
      const dataDir = await mkdtemp(join(tmpdir(), 'postern-relay-'));
      const texts = { UPSTREAM: material.origin };
      const options = { address: ADDRESS, entry: RELAY, dataDir, texts, onLog: () => undefined };
      workerd = await startLocalWorkerd({ ...options, ...identity(material) });
      void workerd.exited.then(() => rm(dataDir, { recursive: true, force: true })).then(() => ended.resolve());
      return { port: workerd.port } as Answer;
    },
    stop: () => (workerd === undefined ? ended.resolve() : void workerd.stop()),
    ended: ended.promise,
  };
}
