import { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { derOfPem, toPem } from './pem.ts';

/** The kinds of key this room makes, as options and flags spell them. */
export type KeyType = 'rsa2048' | 'rsa3072' | 'rsa4096' | 'ec-p256' | 'ec-p384' | 'ed25519';

/** What WebCrypto wants to know to make, import and use a key of one kind. */
export interface SigningParameters {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array<ArrayBuffer>;
}

interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

interface KeyFacts {
  /** As `CertificateFacts.keyType` words it. */
  readonly text: string;
  readonly parameters: SigningParameters;
  readonly isRsa: boolean;
}

/** How WebCrypto makes and uses each kind of key; the hash grows with the curve. */
export const KEY_TYPES: Readonly<Record<KeyType, KeyFacts>> = {
  rsa2048: { text: 'RSA 2048', parameters: rsa(2048), isRsa: true },
  rsa3072: { text: 'RSA 3072', parameters: rsa(3072), isRsa: true },
  rsa4096: { text: 'RSA 4096', parameters: rsa(4096), isRsa: true },
  'ec-p256': { text: 'EC P-256', parameters: ecdsa('P-256', 'SHA-256'), isRsa: false },
  'ec-p384': { text: 'EC P-384', parameters: ecdsa('P-384', 'SHA-384'), isRsa: false },
  ed25519: { text: 'Ed25519', parameters: { name: 'Ed25519' }, isRsa: false },
};

/** A fresh key pair for signing, extractable so that it can be written down. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  // Every kind in the table makes a pair; the library type allows a single key because of AES.
  return (await crypto.subtle.generateKey(KEY_TYPES[type].parameters, true, ['sign', 'verify'])) as KeyPair;
}

/** A private key as unencrypted PKCS#8 PEM. @see https://www.rfc-editor.org/rfc/rfc5958 */
export async function exportPrivateKey(key: CryptoKey): Promise<Secret> {
  return new Secret(toPem('PRIVATE KEY', new Uint8Array(await crypto.subtle.exportKey('pkcs8', key))));
}

/**
 * How to sign with a key that a certificate describes as `keyTypeText`; RSA of any size.
 *
 * @throws GatewayError key_unreadable for a kind this room does not sign with.
 */
export function signingParametersOf(keyTypeText: string): SigningParameters {
  const known = Object.values(KEY_TYPES).find(({ text }) => text === keyTypeText);
  if (known) return known.parameters;
  if (keyTypeText.startsWith('RSA ')) return KEY_TYPES.rsa2048.parameters;
  throw new GatewayError('key_unreadable', `keys of kind ${keyTypeText} cannot sign certificates here`);
}

/** Opens an authority's PKCS#8 key for signing. @throws GatewayError key_unreadable. */
export async function importSigningKey(pem: Secret, keyTypeText: string): Promise<CryptoKey> {
  const parameters = signingParametersOf(keyTypeText);
  try {
    return await crypto.subtle.importKey('pkcs8', derOfPem(pem.reveal()), parameters, false, ['sign']);
  } catch {
    // Without the engine's error, which may describe the key.
    throw new GatewayError(
      'key_unreadable',
      `expected an unencrypted PKCS#8 private key of kind ${keyTypeText}, met something else`,
    );
  }
}

function rsa(modulusLength: number): SigningParameters {
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: new Uint8Array([1, 0, 1]) };
}

function ecdsa(namedCurve: string, hash: string): SigningParameters {
  return { name: 'ECDSA', namedCurve, hash };
}
