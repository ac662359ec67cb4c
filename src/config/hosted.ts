import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { isSignatureAlgorithm } from '../identity/token-algorithms.ts';
import { readLimits } from '../limits/short-form.ts';
import { SETTINGS } from './settings.ts';
import type { SettingName, SettingValues } from './settings.ts';

/** Where a platform listens for the gateway, which keeps no files and starts no programs: Workers, `deno serve`. */
export interface SettingsHost {
  /** As people write it. */
  readonly name: string;
  /** What it cannot honour beside what no host can, by what that asks for. */
  readonly unsupported: Readonly<Partial<Record<SettingName, string>>>;
  /** Where settings are looked for: `in the environment`. */
  readonly source: string;
  /** How to give store and keys there. */
  readonly hint: string;
}

/** Settings with all that is made up elsewhere; the signing key as well, where it is a secret. */
export interface GivenSettings extends SettingValues {
  readonly storage: Secret;
  readonly vaultKeys: Secret;
}

/** What no host can honour, by what it asks for. */
const UNSUPPORTED: SettingsHost['unsupported'] = {
  healthPort: 'listener',
  certFile: 'listener',
  keyFile: 'listener',
  keyFilePassword: 'listener',
  keyPasswordFile: 'listener',
  tlsMinVersion: 'listener',
  maxConnections: 'listener',
  clientCa: 'requestCertificate',
  clientCrl: 'crl',
  tlsCiphers: 'ciphers',
  requireTls: 'listener',
  clientSubject: 'peerCertificate',
  clientChainDepth: 'peerCertificate',
  clientPins: 'peerCertificate',
  ocsp: 'ocsp',
  revocationFailure: 'crl',
  trustProxyAuth: 'peerAddress',
  trustedProxies: 'peerAddress',
  proxyUserHeader: 'peerAddress',
  dataDir: 'files',
  configFile: 'files',
  certDirs: 'files',
  stdioCommands: 'programs',
  stdioMaxProcesses: 'programs',
};

/**
 * Refuses what is set and would count for nothing.
 *
 * @throws GatewayError capability_unsupported
 */
export function refuseUnsupported(texts: Readonly<Record<string, string | undefined>>, host: SettingsHost): void {
  const asked = Object.entries({ ...UNSUPPORTED, ...host.unsupported, ...byAddress(texts) })
    .map(([name, capability]) => ({ env: SETTINGS[name as SettingName].env, capability }))
    .filter(({ env }) => (texts[env] ?? '') !== '');
  if (asked.length === 0) return;
  const named = asked.map(({ env, capability }) => `${env} (${capability})`).join(', ');
  throw new GatewayError('capability_unsupported', `${host.name} cannot honour ${named}`, {
    hint: 'leave it out: who listens sees to TLS and to the certificates of callers, and there are no files or programs',
    details: { capabilities: [...new Set(asked.map(({ capability }) => capability))] },
  });
}

/** Limits by address: nobody says there where a caller is. What cannot be read is refused later, with the reason. */
function byAddress({
  [SETTINGS.limits.env]: text = '',
}: Readonly<Record<string, string | undefined>>): SettingsHost['unsupported'] {
  try {
    const isBy = readLimits(text).some(({ per }) => per.includes('address') || per.includes('failures'));
    return isBy ? { limits: 'peerAddress' } : {};
  } catch {
    return {};
  }
}

/**
 * The settings, once store and keys are among them: where nothing is kept, nothing can be made up.
 *
 * @throws GatewayError config_invalid
 */
export function requireGiven(values: SettingValues, { source, hint }: SettingsHost): GivenSettings {
  const { storage, jwtSecretKey, vaultKeys, jwtAlgorithm } = values;
  const needsSecret = !isSignatureAlgorithm(jwtAlgorithm);
  if (storage && (jwtSecretKey || !needsSecret) && vaultKeys) return { ...values, storage, vaultKeys };
  const given = { storage, ...(needsSecret && { jwtSecretKey }), vaultKeys };
  const missing = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [SETTINGS[name as 'storage' | 'jwtSecretKey' | 'vaultKeys'].env] : [],
  );
  throw new GatewayError('config_invalid', `expected ${missing.join(', ')} ${source}, met nothing`, {
    hint,
    details: { settings: missing },
  });
}
