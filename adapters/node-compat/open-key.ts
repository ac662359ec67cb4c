import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { GatewayError, Secret } from '../../src/index.ts';
import type { KeyOpener } from '../../src/index.ts';

/**
 * Opens PKCS#8, PKCS#1 and SEC1 keys, encrypted or not. OpenSSL's own errors are dropped: what they quote of their
 * input is not ours to promise.
 */
export const openKey: KeyOpener = async (pem, passphrase) => {
  const key = read(pem.reveal(), passphrase);
  return {
    pkcs8: new Secret(key.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
  };
};

function read(pem: string, passphrase: Secret | undefined): KeyObject {
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem);
  if (encrypted && passphrase === undefined)
    throw new GatewayError('key_passphrase_wrong', 'the private key is encrypted and no passphrase is given', {
      hint: 'give client_key_password, or the key without encryption',
    });
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(encrypted && { passphrase: passphrase?.reveal() ?? '' }) });
  } catch {
    if (encrypted)
      throw new GatewayError('key_passphrase_wrong', 'the private key does not open with the given passphrase', {
        hint: 'check client_key_password; a damaged file fails the same way',
      });
    throw new GatewayError('key_unreadable', 'the private key is PEM, but not a key this runtime can read', {
      hint: 'expected RSA, EC or Ed25519 in PKCS#8, PKCS#1 or SEC1 form',
    });
  }
}
