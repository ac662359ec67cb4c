import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { GatewayError } from '../../../src/index.ts';
import type { ClientIdentity, TlsProfile } from '../../../src/index.ts';

/**
 * Node's form of a profile: what a handshake shows and believes, parsed once.
 *
 * @throws GatewayError capability_unsupported when OpenSSL takes no such key or certificate (an RSA key of 1024 bits).
 */
export function buildSecureContext(profile: TlsProfile): SecureContext {
  try {
    return build(profile);
  } catch (error) {
    const { code: reason } = error as { code?: string };
    throw new GatewayError(
      'capability_unsupported',
      'the TLS library of this platform refuses the certificates or the key',
      {
        hint: 'it refuses what it deems too weak or does not know: use RSA 2048 or more, EC P-256 or P-384, or Ed25519',
        details: { reason },
      },
    );
  }
}

function build(profile: TlsProfile): SecureContext {
  const { identity, trust } = profile;
  const anchors = trust.mode === 'system' ? [] : trust.anchors.map(({ pem }) => pem);
  const contextWith = (ca?: string[]): SecureContext =>
    createSecureContext({
      minVersion: profile.minVersion,
      ...(ca && { ca }),
      // An anchor is trusted as it stands, an intermediate too; OpenSSL alone insists on a self-signed one.
      ...(anchors.length > 0 && { allowPartialTrustChain: true }),
      ...(profile.crls.length > 0 && { crl: [...profile.crls] }),
      ...(identity && { cert: identity.chain.map(({ pem }) => pem).join(''), key: keyOf(identity) }),
    });
  if (trust.mode === 'system') return contextWith();
  if (trust.mode === 'only') return contextWith(anchors);
  const context = contextWith();
  return addAnchors(context, anchors) ? context : contextWith([...getCACertificates('default'), ...anchors]);
}

/**
 * Adds anchors to a context that trusts the default set, by the call createSecureContext makes for each `ca`: the
 * parsed public roots stay shared, 0.3 ms and 1 KB a context (Node 26), where `ca: [...defaults, ours]` parses them
 * all again, 11 ms and 1 MB. The call is not documented, hence the look before the leap; that it adds, and adds to
 * this context only, is shown by the dialer identity contract.
 */
function addAnchors(context: SecureContext, anchors: readonly string[]): boolean {
  const { context: native } = context as { context?: { addCACert?(pem: string): void } };
  if (typeof native?.addCACert !== 'function') return false;
  for (const anchor of anchors) native.addCACert(anchor);
  return true;
}

/**
 * The key of an identity that will be shown. Not every library looks before the handshake, and what then happens is
 * that no certificate is presented at all: Deno with a key it cannot read, TLS 1.3 with a curve it has no name for.
 * A profile that names an identity of the platform was refused; should one come here, it must not dial without any.
 */
function keyOf(identity: ClientIdentity): string {
  const [leaf] = identity.chain;
  if (!('privateKey' in identity) || leaf === undefined) throw new TypeError('an identity without a key');
  const key = identity.privateKey.reveal();
  if (!new X509Certificate(leaf.pem).checkPrivateKey(createPrivateKey(key))) throw unusable('KEY_VALUES_MISMATCH');
  if (/^EC (?!P-(256|384|521)$)/.test(leaf.facts.keyType)) throw unusable('UNSUPPORTED_CURVE');
  return key;
}

const unusable = (code: string): Error => Object.assign(new Error(code), { code });
