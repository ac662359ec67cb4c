import { equalBytes } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Certificate } from '../pki/certificate.ts';
import { orderChain } from '../pki/chain.ts';
import { checkClientCertificate, checkIntermediate } from '../pki/checks.ts';
import { parseCertificates } from '../pki/parse.ts';
import { splitPem } from '../pki/pem.ts';
import type { KeyOpener } from './key-opener.ts';
import type { ClientIdentity, PlatformIdentity, TlsMaterial } from './profile.ts';

type IdentityMaterial = Pick<TlsMaterial, 'clientCertificate' | 'clientKey' | 'clientKeyPassword' | 'clientBinding'>;

/**
 * Our side of a handshake, or undefined when none is given. A PEM text with both certificate and key may stand in
 * `clientCertificate` alone, or in both fields.
 *
 * @throws GatewayError config_invalid, binding_not_found, certificate_unreadable, certificate_missing, certificate_expired, certificate_not_yet_valid,
 *   certificate_wrong_purpose, chain_broken, key_missing, key_unreadable, key_passphrase_wrong, key_mismatch
 */
export async function openIdentity(
  { clientCertificate, clientKey, clientKeyPassword, clientBinding }: IdentityMaterial,
  { openKey, bindings }: { readonly openKey: KeyOpener; readonly bindings?: ReadonlySet<string> | undefined },
  nowMs: number,
): Promise<ClientIdentity | undefined> {
  if (clientBinding !== undefined && (clientCertificate ?? clientKey) !== undefined)
    throw new GatewayError('config_invalid', 'client_binding names an identity, and client_cert gives another one', {
      hint: 'clear one of them with null',
    });
  if (clientBinding !== undefined) return openBinding(clientBinding, bindings);
  if (clientCertificate === undefined && clientKey === undefined && clientKeyPassword === undefined) return undefined;
  if (clientCertificate === undefined) throw certificateMissing(clientKey);
  const keyPem = clientKey ? onlyKey(clientKey) : keyBeside(clientCertificate);
  const certificates = await parseCertificates(clientCertificate, 'certificate_unreadable');
  const chain = await orderChain(certificates);
  const [leaf, ...intermediates] = chain;
  if (!leaf) throw new GatewayError('certificate_missing', 'client_cert holds no certificate');
  checkClientCertificate(leaf, nowMs);
  for (const intermediate of intermediates) checkIntermediate(intermediate, nowMs);
  const { pkcs8, publicKey } = await openKey(keyPem, clientKeyPassword);
  if (!equalBytes(publicKey, leaf.publicKey)) throw keyMismatch(leaf, certificates, publicKey);
  return Object.freeze({ chain: Object.freeze(chain), privateKey: pkcs8, publicKey });
}

function openBinding(binding: string, bindings: ReadonlySet<string> = new Set()): PlatformIdentity {
  if (bindings.has(binding)) return Object.freeze({ binding, chain: Object.freeze([] as const) });
  throw new GatewayError('binding_not_found', `the platform has no identity ${binding}`, {
    hint: `bind a certificate under this name; bound are: ${[...bindings].join(', ') || 'none'}`,
    details: { binding },
  });
}

function onlyKey(source: Secret): Secret {
  const keys = keysIn(source.reveal());
  const [key] = keys;
  if (key && keys.length === 1) return key;
  throw new GatewayError('key_unreadable', `expected one private key in client_key, met ${keys.length}`, {
    hint: 'give the PEM block that ends with PRIVATE KEY; is it the certificate that stands here?',
  });
}

function keyBeside(certificatePem: string): Secret {
  const keys = keysIn(certificatePem);
  const [key] = keys;
  if (key && keys.length === 1) return key;
  if (keys.length > 1) throw new GatewayError('key_unreadable', `expected one private key, met ${keys.length}`);
  throw new GatewayError('key_missing', 'client_cert is given without its private key', {
    hint: 'give client_key, or a PEM bundle that holds the key as well',
  });
}

function keysIn(pem: string): readonly Secret[] {
  const blocks = splitPem(pem, 'key_unreadable').filter(({ label }) => label.endsWith('PRIVATE KEY'));
  return [...new Set(blocks.map((block) => block.pem))].map((text) => new Secret(text));
}

function certificateMissing(clientKey: Secret | undefined): GatewayError {
  const hint = 'give client_cert; a PEM bundle that holds both goes there too';
  return clientKey
    ? new GatewayError('certificate_missing', 'client_key is given without its certificate', { hint })
    : new GatewayError('key_missing', 'client_key_password is given without client_cert and client_key', { hint });
}

function keyMismatch(leaf: Certificate, certificates: readonly Certificate[], publicKey: Uint8Array): GatewayError {
  const other = certificates.find((certificate) => equalBytes(publicKey, certificate.publicKey));
  const met = other ? `of ${other.facts.subject}` : 'of another certificate';
  return new GatewayError('key_mismatch', `the private key is ${met}, not of ${leaf.facts.subject}`, {
    hint: 'give the key the certificate was requested with',
    details: { subject: leaf.facts.subject },
  });
}
