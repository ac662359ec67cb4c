import { GatewayError, isLoopback, parseConfig, refuseUnsupported, requireGiven, SETTINGS } from '../../src/index.ts';
import type { Config, ConfigProblem, GivenSettings, SettingsHost } from '../../src/index.ts';
import type { Env } from './bindings.ts';

/** Settings as the gateway runs with them, and what is worth telling the operator. */
export interface WorkerSettings {
  readonly config: GivenSettings;
  readonly warnings: readonly ConfigProblem[];
}

/** Nobody but the platform listens, so what a gateway without credentials would be restricted to is not there. */
const EVERYWHERE = '0.0.0.0';

const WEAK_STORE: ConfigProblem = {
  setting: SETTINGS.storage.env,
  message:
    'Workers KV compares nothing, so of two changes at once one is lost, and tells other places up to a minute late; d1: does neither',
};

const WORKERS: SettingsHost = {
  name: 'Workers',
  unsupported: {
    port: 'listener',
    connectTimeoutSeconds: 'connectTimeout',
    contextCacheMaxSize: 'contexts',
    drainTimeoutSeconds: 'shutdown',
    issuerCa: 'caOnly',
  },
  source: 'among the variables and secrets of the Worker',
  hint: 'set keys with `wrangler secret put`; `postern vault key` prints good ones; POSTERN_STORAGE=d1:BINDING',
};

/**
 * Settings from the texts among a Worker's bindings. Nothing is made up: keys and store have to be given.
 *
 * @throws GatewayError config_invalid, capability_unsupported
 */
export function readSettings(env: Env): WorkerSettings {
  const texts = textsIn(env);
  refuseUnsupported(texts, WORKERS);
  const { [SETTINGS.clientAuth.env]: asked = '', ...others } = texts;
  const { values, warnings } = parseConfig({ environment: { HOST: EVERYWHERE, ...others } });
  const given = requireGiven(values, WORKERS);
  if (!values.authRequired && !(isLoopback(values.host) && values.allowedHosts.length === 0))
    throw new GatewayError(
      'config_invalid',
      `${SETTINGS.authRequired.env}: a Worker answers the world, so callers are asked`,
    );
  const weak = given.storage.reveal().startsWith('cf-kv:') ? [WEAK_STORE] : [];
  const config = { ...given, clientAuth: clientAuthOf(asked) };
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
