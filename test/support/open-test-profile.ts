import { openKey } from '../../adapters/node-compat/open-key.ts';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { Secret } from '../../src/base/secret.ts';
import { openProfile } from '../../src/tls/open-profile.ts';
import type { TlsMaterial, TlsProfile } from '../../src/tls/profile.ts';
import type { MintedCertificate } from './pki.ts';

/** What `createDialer` can do, without anybody listening to it. */
export const nodeCapabilities = createDialer(NODE, {
  events: () => {},
  clock: systemClock,
  contextCache: { maxIdle: 0 },
}).capabilities;

/** A profile for the Node dialer; insecure switches are consented to. */
export function profileOf(material: TlsMaterial): Promise<TlsProfile> {
  const nowMs = systemClock.nowMs();
  return openProfile(material, { openKey, nowMs, capabilities: nodeCapabilities, allowInsecureTls: true });
}

/** The identity fields of a minted certificate. */
export function identityOf({ chainPem, keyPem }: MintedCertificate): TlsMaterial {
  return { clientCertificate: chainPem, clientKey: new Secret(keyPem) };
}
