import { RUNTIME } from '#runtime';
import { Secret } from '../../src/base/secret.ts';
import type { TlsMaterial, TlsProfile } from '../../src/tls/profile.ts';
import type { MintedCertificate } from './pki.ts';
import { profileFor } from './profile-for.ts';

/** What the dialer of the runtime that runs the tests can do. */
export const testCapabilities = RUNTIME.dialer;

/** A profile for the dialer of the runtime that runs the tests; insecure switches are consented to. */
export const profileOf = (material: TlsMaterial): Promise<TlsProfile> => profileFor(RUNTIME, material);

/** The identity fields of a minted certificate. */
export function identityOf({ chainPem, keyPem }: MintedCertificate): TlsMaterial {
  return { clientCertificate: chainPem, clientKey: new Secret(keyPem) };
}
