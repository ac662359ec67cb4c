import type { ListenerIdentity } from '../../adapters/node-compat/listener/identity.ts';
import { Secret } from '../../src/base/secret.ts';
import type { MintedCertificate } from './pki.ts';

/** What a listener presents, without files; it asks callers for nothing unless told so. */
export function listenerIdentity(
  { chainPem, keyPem, certificate }: MintedCertificate,
  callers?: ListenerIdentity['callers'],
): ListenerIdentity {
  const { facts } = certificate;
  return { chainPem, privateKey: new Secret(keyPem), minVersion: 'TLSv1.2', facts, callers, fingerprint: facts.sha256 };
}
