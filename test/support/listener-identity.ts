import type { ListenerIdentity } from '../../adapters/node-compat/listener/identity.ts';
import { Secret } from '../../src/base/secret.ts';
import { openCallerAnchors, openCallerCrls } from '../../src/tls/caller-trust.ts';
import type { MintedCa, MintedCertificate } from './pki.ts';

/** What a listener presents, without files; it asks callers for nothing unless told so. */
export function listenerIdentity(
  { chainPem, keyPem, certificate }: MintedCertificate,
  callers?: ListenerIdentity['callers'],
): ListenerIdentity {
  const { facts } = certificate;
  return { chainPem, privateKey: new Secret(keyPem), minVersion: 'TLSv1.2', facts, callers, fingerprint: facts.sha256 };
}

/** How callers are asked for certificates. */
export interface CallersAsked {
  /** One PEM each; none by default. */
  readonly crls?: readonly string[];
  /** By default they are. */
  readonly isRequired?: boolean;
  readonly pins?: readonly string[];
  readonly maxIntermediates?: number;
}

/** What a listener presents that lets in callers of these CAs, and without `isRequired` those who show nothing. */
export async function identityTrusting(
  cas: readonly MintedCa[],
  shown: MintedCertificate,
  { crls = [], isRequired = true, ...held }: CallersAsked = {},
): Promise<ListenerIdentity> {
  const anchors = await openCallerAnchors(cas.map(({ pem }) => pem).join(''), Date.now());
  const none = { crls: [], nextUpdate: undefined };
  const lists = crls.length === 0 ? none : await openCallerCrls(crls.join(''), anchors, Date.now());
  return listenerIdentity(shown, { ...anchors, ...lists, isRequired, ...held });
}
