import { getCiphers } from 'node:tls';
import { GatewayError, SETTINGS } from '../../../src/index.ts';
import type { SettingValues } from '../../../src/index.ts';
import type { Runtime } from '../runtime.ts';

/**
 * Refuses cipher suites the listener would not speak as they are told.
 *
 * @throws GatewayError capability_unsupported, config_invalid
 */
export function checkCiphers({ tlsCiphers = [] }: SettingValues, { name, listener }: Runtime): void {
  if (tlsCiphers.length === 0) return;
  const { env } = SETTINGS.tlsCiphers;
  if (!listener.ciphers)
    throw new GatewayError('capability_unsupported', `${name} cannot honour ${env} (ciphers)`, {
      hint: `leave it out, and set ${SETTINGS.tlsMinVersion.env} to 1.3: all of its suites are sound`,
      details: { capabilities: ['ciphers'] },
    });
  const known = new Set(getCiphers().map((suite) => suite.toUpperCase()));
  const unknown = tlsCiphers.filter((suite) => !known.has(suite.toUpperCase()));
  if (unknown.length > 0)
    throw new GatewayError('config_invalid', `${env}: the TLS library knows no ${unknown.join(', ')}`, {
      hint: 'use names as OpenSSL has them: `openssl ciphers -v` lists them',
    });
}
