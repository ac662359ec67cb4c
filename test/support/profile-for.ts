import { systemClock } from '../../adapters/node-compat/clock.ts';
import { openKey } from '../../adapters/node-compat/open-key.ts';
import type { Runtime } from '../../adapters/node-compat/runtime.ts';
import { openProfile } from '../../src/tls/open-profile.ts';
import type { TlsMaterial, TlsProfile } from '../../src/tls/profile.ts';

/** A profile for the dialer of a runtime; insecure switches are consented to. */
export function profileFor({ dialer }: Runtime, material: TlsMaterial): Promise<TlsProfile> {
  const nowMs = systemClock.nowMs();
  return openProfile(material, { openKey, nowMs, capabilities: dialer, allowInsecureTls: true });
}
