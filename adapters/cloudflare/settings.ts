import { GatewayError, isLoopback, parseConfig, SETTINGS } from '../../src/index.ts';
import type { Config, ConfigProblem, SettingName } from '../../src/index.ts';
import type { Env } from './bindings.ts';

/** Settings as the gateway runs with them, and what is worth telling the operator. */
export interface WorkerSettings {
  readonly config: Config;
  readonly warnings: readonly ConfigProblem[];
}

/** Nobody but the platform listens, so what a gateway without credentials would be restricted to is not there. */
const EVERYWHERE = '0.0.0.0';

const WEAK_STORE: ConfigProblem = {
  setting: SETTINGS.storage.env,
  message:
    'Workers KV compares nothing, so of two changes at once one is lost, and tells other places up to a minute late; d1: does neither',
};

/** What a setting asks for that the platform has of its own, or has not. */
const ELSEWHERE: Readonly<Partial<Record<SettingName, string>>> = {
  port: 'listener',
  healthPort: 'listener',
  certFile: 'listener',
  keyFile: 'listener',
  keyFilePassword: 'listener',
  keyPasswordFile: 'listener',
  tlsMinVersion: 'listener',
  clientCa: 'requestCertificate',
  clientCrl: 'crl',
  trustProxyAuth: 'peerAddress',
  trustedProxies: 'peerAddress',
  proxyUserHeader: 'peerAddress',
  dataDir: 'files',
  configFile: 'files',
  certDirs: 'files',
  stdioCommands: 'programs',
  stdioMaxProcesses: 'programs',
  connectTimeoutSeconds: 'connectTimeout',
  contextCacheMaxSize: 'contexts',
  drainTimeoutSeconds: 'shutdown',
};

/**
 * Settings from the texts among a Worker's bindings. Nothing is made up: keys and store have to be given.
 *
 * @throws GatewayError config_invalid, capability_unsupported
 */
export function readSettings(env: Env): WorkerSettings {
  const texts = textsIn(env);
  const elsewhere = Object.entries(ELSEWHERE)
    .map(([name, capability]) => ({ env: SETTINGS[name as SettingName].env, capability }))
    .filter((asked) => (texts[asked.env] ?? '') !== '');
  if (elsewhere.length > 0) throw unsupported(elsewhere);
  const { [SETTINGS.clientAuth.env]: asked = '', ...others } = texts;
  const { values, warnings } = parseConfig({ environment: { HOST: EVERYWHERE, ...others } });
  const { storage, jwtSecretKey, vaultKeys } = values;
  const missing = [
    ...(storage ? [] : [SETTINGS.storage.env]),
    ...(jwtSecretKey ? [] : [SETTINGS.jwtSecretKey.env]),
    ...(vaultKeys ? [] : [SETTINGS.vaultKeys.env]),
  ];
  if (storage === undefined || jwtSecretKey === undefined || vaultKeys === undefined) throw notGiven(missing);
  if (!values.authRequired && !(isLoopback(values.host) && values.allowedHosts.length === 0))
    throw new GatewayError(
      'config_invalid',
      `${SETTINGS.authRequired.env}: a Worker answers the world, so callers are asked`,
    );
  const weak = storage.reveal().startsWith('cf-kv:') ? [WEAK_STORE] : [];
  const config = { ...values, storage, jwtSecretKey, clientAuth: clientAuthOf(asked) };
  return { config: Object.freeze(config), warnings: [...warnings, ...weak] };
}

/** Elsewhere it needs files of the listener; here the zone has the client CAs. @throws GatewayError config_invalid */
function clientAuthOf(asked: string): Config['clientAuth'] {
  const { env, parse, fallback } = SETTINGS.clientAuth;
  if (asked === '') return fallback;
  const parsed = parse(asked);
  if ('value' in parsed) return parsed.value;
  throw new GatewayError('config_invalid', `${env}: expected ${parsed.expected}, met ${JSON.stringify(asked)}`);
}

/** Variables of wrangler.toml may be numbers and booleans. */
function textsIn(env: Env): Record<string, string> {
  const plain = Object.entries(env).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}

function unsupported(asked: readonly { readonly env: string; readonly capability: string }[]): GatewayError {
  const named = asked.map(({ env, capability }) => `${env} (${capability})`).join(', ');
  return new GatewayError('capability_unsupported', `Workers cannot honour ${named}`, {
    hint: 'leave it out: TLS, addresses and certificates of callers are configured with the platform',
    details: { capabilities: [...new Set(asked.map(({ capability }) => capability))] },
  });
}

function notGiven(names: readonly string[]): GatewayError {
  return new GatewayError(
    'config_invalid',
    `expected ${names.join(', ')} among the variables and secrets of the Worker`,
    {
      hint: 'set keys with `wrangler secret put`; `postern vault key` prints good ones; POSTERN_STORAGE=d1:BINDING',
      details: { settings: names },
    },
  );
}
