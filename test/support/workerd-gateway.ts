/** A gateway served by the real workerd: the Worker as it is deployed, over D1 and KV on this machine. */
import type { Client } from '@modelcontextprotocol/client';
import { platformClock } from '../../adapters/cloudflare/clock.ts';
import type { Role } from '../../src/identity/principal.ts';
import { importTokenKey, mintToken } from '../../src/identity/token.ts';
import type { Era } from '../../src/wire/eras.ts';
import { parseConfig } from '../../src/config.ts';
import { startLocalWorkerd } from '../runtime/workerd/local-workerd.ts';
import type { LocalWorkerd, LocalWorkerdOptions } from '../runtime/workerd/local-workerd.ts';
import { makeKeys } from './gateway.ts';
import { connectClient, postMessage } from './mcp-client.ts';
import type { MintedCertificate } from './pki.ts';
import { makeTempFolder } from './temp-folder.ts';
import type { TempFolder } from './temp-folder.ts';

export interface WorkerdGateway {
  readonly url: string;
  /** Of an administrator. */
  readonly token: string;
  readonly folder: TempFolder;
  mint(subject: string, role?: Role): Promise<string>;
  /** A REST call by the administrator, at the instance of a place. */
  api(
    method: string,
    path: string,
    body?: object,
    place?: string,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Registers an upstream; fails loudly. */
  register(fields: object): Promise<void>;
  /** Opens the official client, and closes it after `use`. */
  asClient<T>(era: Era, use: (client: Client) => Promise<T>): Promise<T>;
  /** One call of a tool as JSON-RPC, without a session; the text it answered, or all of the answer. */
  call(tool: string, args?: object, place?: string): Promise<string>;
  /** Everything logged so far, those before a restart included. */
  printed(): string;
  /** Resolves once a line with this event was logged. */
  logged(event: string): Promise<Record<string, unknown>>;
  /** A tick of cron. */
  tick(): Promise<string>;
  /** Ends workerd and starts it anew over the same data. */
  restart(texts?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerdGatewayOptions extends Pick<LocalWorkerdOptions, 'trusted' | 'entry'> {
  /** Client certificates by the name of their binding. */
  readonly certificates?: Readonly<Record<string, MintedCertificate>>;
  /** Beside storage, keys and host. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** In local workerd this header is where a request comes in. */
const PLACE = 'x-test-place';
const at = (place: string | undefined): Record<string, string> =>
  place === undefined ? {} : { [PLACE]: JSON.stringify({ colo: place }) };

/** Starts one over a fresh folder; close it. */
export async function startWorkerdGateway(options: WorkerdGatewayOptions = {}): Promise<WorkerdGateway> {
  const folder = await makeTempFolder();
  const keys = makeKeys();
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const given = {
    HOST: '127.0.0.1',
    POSTERN_STORAGE: 'd1:DB',
    POSTERN_VAULT_KEYS: keys.vaultKeys.reveal(),
    JWT_SECRET_KEY: keys.jwtSecretKey.reveal(),
    ...options.texts,
  };
  const certificates = Object.entries(options.certificates ?? {}).map(
    ([name, { chainPem: certPem, keyPem }]) => [name, { certPem, keyPem }] as const,
  );
  const start = (texts: Readonly<Record<string, string>>): Promise<LocalWorkerd> =>
    startLocalWorkerd({
      address: '127.0.0.1:0',
      dataDir: folder.path,
      texts,
      certificates: Object.fromEntries(certificates),
      placeHeader: PLACE,
      cron: true,
      ...(options.trusted && { trusted: options.trusted }),
      ...(options.entry !== undefined && { entry: options.entry }),
      onLog(line) {
        lines.push(line);
        for (const listener of listeners) listener();
      },
    });
  let workerd = await start(given);
  const url = (): string => `http://127.0.0.1:${workerd.port}`;
  const { values } = parseConfig({});
  const signing = { ...values, jwtSecretKey: keys.jwtSecretKey };
  const mint = async (subject: string, role: Role = 'user'): Promise<string> =>
    mintToken({ subject, role, ttlSeconds: 3600 }, await importTokenKey(signing), platformClock);
  const token = await mint('ann', 'admin');

  const gateway: WorkerdGateway = {
    get url() {
      return url();
    },
    token,
    folder,
    mint,
    async api(method, path, body, place) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...at(place) };
      const answer = await fetch(url() + path, { method, headers, body: body ? JSON.stringify(body) : null });
      const text = await answer.text();
      return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
    },
    async register(fields) {
      const { status, body } = await gateway.api('POST', '/v1/gateways', fields);
      if (status !== 200) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
    },
    async asClient(era, use) {
      const client = await connectClient(`${url()}/mcp`, token, era);
      try {
        return await use(client);
      } finally {
        await client.close();
      }
    },
    async call(name, args = {}, place) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const answer = await (await postMessage(`${url()}/mcp`, token, message, at(place))).text();
      return /"text":"([^"]*)"/.exec(answer)?.[1] ?? answer;
    },
    printed: () => lines.join('\n'),
    logged: (event) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = lines
            .map((line) => JSON.parse(line) as Record<string, unknown>)
            .findLast((line) => line['event'] === event);
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
    tick: async () => (await fetch(`http://127.0.0.1:${workerd.cronPort}`)).text(),
    async restart(texts = {}) {
      await workerd.stop();
      workerd = await start({ ...given, ...texts });
    },
    async close() {
      await workerd.kill();
      await folder.remove();
    },
  };
  return gateway;
}
