import { RUNTIME } from '#runtime';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import { createPlatform } from '../../adapters/node-compat/platform.ts';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { createEventHub } from '../../src/base/events.ts';
import type { EventFields, EventName } from '../../src/base/events.ts';
import { Secret } from '../../src/base/secret.ts';
import { parseConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';
import type { Gateway } from '../../src/gateway.ts';
import type { Role } from '../../src/identity/principal.ts';
import { importTokenKey, mintToken } from '../../src/identity/token.ts';
import type { Platform } from '../../src/platform.ts';
import { formatVaultKeys, generateVaultKey } from '../../src/vault/vault-keys.ts';

export interface SeenEvent {
  readonly name: EventName;
  readonly fields: EventFields[EventName];
}

export interface TestGateway {
  /** Without a slash at the end. */
  readonly url: string;
  readonly gateway: Gateway;
  /** Every event so far. */
  readonly events: SeenEvent[];
  countOf(name: EventName): number;
  token(subject: string, role?: Role): Promise<string>;
  /** A REST call by an administrator; a body is sent as JSON. */
  api(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Registers a gateway and expects that it was taken. */
  register(fields: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  /** Settings by environment name, on top of loopback, port 0 and an in-memory store. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Same as an earlier gateway's, to start over the same store. */
  readonly keys?: TestKeys;
  /** Stands between the platform and the gateway, to watch what passes. */
  readonly wrapPlatform?: (platform: Platform) => Platform;
}

export interface TestKeys {
  readonly vaultKeys: Secret;
  readonly jwtSecretKey: Secret;
}

export const makeKeys = (): TestKeys => ({
  vaultKeys: formatVaultKeys([generateVaultKey()]),
  jwtSecretKey: new Secret(crypto.randomUUID() + crypto.randomUUID()),
});

/** A gateway in this process, with the real dialer and listener of Node. */
export async function startGateway({
  settings = {},
  keys = makeKeys(),
  wrapPlatform = (platform) => platform,
}: TestGatewayOptions = {}): Promise<TestGateway> {
  const { values } = parseConfig({ environment: { PORT: '0', POSTERN_STORAGE: 'memory:', ...settings } });
  const config: Config = { ...values, ...keys, storage: values.storage ?? new Secret('memory:') };
  const events: SeenEvent[] = [];
  const platform = await createPlatform(
    NODE,
    config,
    createEventHub((name, fields) => void events.push({ name, fields })),
  );
  const gateway = await createGateway(config, wrapPlatform(platform));
  gateway.beginUpkeep();
  const { fetch: answer, webSocket } = gateway;
  const listener = await openListener(RUNTIME, { host: '127.0.0.1', port: 0, fetch: answer, webSocket });
  const url = `http://127.0.0.1:${listener.port}`;
  const token = async (subject: string, role: Role = 'user') =>
    mintToken({ subject, role, ttlSeconds: 3600 }, await importTokenKey(config), systemClock);
  const adminToken = await token('operator', 'admin');
  const api: TestGateway['api'] = (method, path, body, headers = {}) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  return {
    url,
    gateway,
    events,
    countOf: (name) => events.filter((event) => event.name === name).length,
    token,
    api,
    async register(fields) {
      const response = await api('POST', '/v1/gateways', fields);
      const body = (await response.json()) as Record<string, unknown>;
      if (!response.ok) throw new Error(`not registered: ${response.status} ${JSON.stringify(body)}`);
      return body;
    },
    async close() {
      await listener.close(0);
      await gateway.close(0);
    },
  };
}
