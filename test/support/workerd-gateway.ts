/** A gateway served by the real workerd: the Worker as it is deployed, over D1 and KV on this machine. */
import { platformClock } from '../../adapters/cloudflare/clock.ts';
import type { Role } from '../../src/identity/principal.ts';
import { importTokenKey, mintToken } from '../../src/identity/token.ts';
import { parseConfig } from '../../src/config.ts';
import { startLocalWorkerd } from '../runtime/workerd/local-workerd.ts';
import type { LocalWorkerd, LocalWorkerdOptions } from '../runtime/workerd/local-workerd.ts';
import { makeKeys } from './gateway.ts';
import { gatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import type { MintedCertificate } from './pki.ts';
import { makeTempFolder } from './temp-folder.ts';
import type { TempFolder } from './temp-folder.ts';

export interface WorkerdGateway extends Pick<GatewayClient, 'register' | 'asClient'> {
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
  /** One call of a tool, at the instance of a place. */
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
  const client = gatewayClient(url, token);

  return {
    ...client,
    get url() {
      return url();
    },
    token,
    folder,
    mint,
    api: (method, path, body, place) => client.api(method, path, body, at(place)),
    call: (tool, args, place) => client.call(tool, args, at(place)),
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
}
