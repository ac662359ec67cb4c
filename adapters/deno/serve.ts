/**
 * Postern where somebody else listens: `deno serve` and Deno Deploy. The first request starts the gateway. Settings come from
 * the environment; nothing is read from or written to files, so keys and store must be named there.
 */
import {
  GatewayError,
  SETTINGS,
  createEventHub,
  createGateway,
  createLog,
  parseConfig,
  toGatewayError,
} from '../../src/index.ts';
import type { Config, Gateway, SettingName, SettingValues } from '../../src/index.ts';
import { systemClock } from '../node-compat/clock.ts';
import { createPlatform } from '../node-compat/platform.ts';
import { DENO } from './runtime.ts';

/** Where the platform listens is not ours to know, and by default it is everywhere; so HOST does not count. */
const HOST = '0.0.0.0';

/** What a setting asks for of a listener that is not ours. */
const ELSEWHERE: Readonly<Partial<Record<SettingName, string>>> = {
  healthPort: 'listener',
  certFile: 'listener',
  keyFile: 'listener',
  keyFilePassword: 'listener',
  keyPasswordFile: 'listener',
  tlsMinVersion: 'listener',
  clientCa: 'requestCertificate',
  clientAuth: 'requestCertificate',
  clientCrl: 'crl',
  trustProxyAuth: 'peerAddress',
  trustedProxies: 'peerAddress',
  proxyUserHeader: 'peerAddress',
};

let starting: Promise<Gateway> | undefined;

async function start(): Promise<Gateway> {
  refuseElsewhere();
  const { values, warnings } = parseConfig({ environment: { ...process.env, HOST } });
  const log = createLog({
    write: (line) => process.stderr.write(line),
    level: values.logLevel,
    pretty: false,
    clock: systemClock,
  });
  const events = createEventHub(log);
  for (const warning of warnings) events('config.warned', warning);
  const gateway = await createGateway(completed(values), await createPlatform(DENO, completed(values), events));
  gateway.beginUpkeep();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(gateway, values));
  return gateway;
}

/** @throws GatewayError capability_unsupported */
function refuseElsewhere(): void {
  const asked = Object.entries(ELSEWHERE)
    .map(([name, capability]) => ({ env: SETTINGS[name as SettingName].env, capability }))
    .filter(({ env }) => (process.env[env] ?? '') !== '');
  if (asked.length === 0) return;
  const named = asked.map(({ env, capability }) => `${env} (${capability})`).join(', ');
  throw new GatewayError('capability_unsupported', `deno serve cannot honour ${named}`, {
    hint: 'leave it out: who listens sees to TLS, and tells nothing of who is at the other end',
    details: { capabilities: [...new Set(asked.map(({ capability }) => capability))] },
  });
}

/** Deno stops listening and lets requests finish; what is open to stores and servers would keep the process after that. */
async function stop(gateway: Gateway, { drainTimeoutSeconds }: SettingValues): Promise<void> {
  gateway.beginDrain();
  await gateway.close(drainTimeoutSeconds * 1000);
}

function completed(values: SettingValues): Config {
  const { storage, jwtSecretKey, vaultKeys } = values;
  if (storage && jwtSecretKey && vaultKeys) return { ...values, storage, jwtSecretKey };
  const given = { POSTERN_STORAGE: storage, JWT_SECRET_KEY: jwtSecretKey, POSTERN_VAULT_KEYS: vaultKeys };
  const missing = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [name] : []));
  throw new GatewayError('config_invalid', `expected ${missing.join(', ')} in the environment, met nothing`, {
    hint: '`postern vault key` prints fresh keys; `deno-kv:` is the store of the platform',
  });
}

async function fetch(request: Request): Promise<Response> {
  let gateway: Gateway;
  try {
    gateway = await (starting ??= start());
  } catch (error) {
    // the next request tries again: a store may be back by then
    starting = undefined;
    const { code, message, hint } = toGatewayError(error);
    process.stderr.write(`${JSON.stringify({ level: 'error', event: 'start.failed', code, message, hint })}\n`);
    return Response.json({ title: 'the gateway could not start', code }, { status: 503 });
  }
  return gateway.fetch(request);
}

export default { fetch };
