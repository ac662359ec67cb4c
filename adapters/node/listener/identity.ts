import {
  GatewayError,
  Secret,
  checkIntermediate,
  checkServerCertificate,
  equalBytes,
  orderChain,
  parseCertificates,
  splitPem,
} from '../../../src/index.ts';
import type { CertificateFacts, Clock, KeyOpener, SettingValues } from '../../../src/index.ts';
import { readTextFile } from '../files.ts';

/** What the listener presents: checked, and the key opened. */
export interface ListenerIdentity {
  /** Leaf first. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly privateKey: Secret;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Of the leaf. */
  readonly facts: CertificateFacts;
}

/**
 * The listener's certificate and key from their files, held to the same rules as an upstream's; undefined where TLS is
 * off.
 *
 * @throws GatewayError file_refused and the codes of certificates and keys
 */
export async function readListenerIdentity(
  settings: SettingValues,
  openKey: KeyOpener,
  clock: Clock,
): Promise<ListenerIdentity | undefined> {
  const { certFile, keyFile = certFile, tlsMinVersion: minVersion } = settings;
  if (certFile === undefined || keyFile === undefined) return undefined;
  const chain = await orderChain(await parseCertificates(await readTextFile(certFile), 'certificate_unreadable'));
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) throw new GatewayError('certificate_missing', `${certFile} holds no certificate`);
  checkServerCertificate(leaf, clock.nowMs());
  for (const intermediate of intermediates) checkIntermediate(intermediate, clock.nowMs());
  const { pkcs8, publicKey } = await openKey(await readKey(keyFile), await readPassphrase(settings));
  if (!equalBytes(publicKey, leaf.publicKey))
    throw new GatewayError('key_mismatch', `the key in ${keyFile} does not belong to the certificate in ${certFile}`, {
      hint: 'give the key the certificate was issued for',
    });
  return { chainPem: chain.map(({ pem }) => pem).join(''), privateKey: pkcs8, minVersion, facts: leaf.facts };
}

async function readKey(path: string): Promise<Secret> {
  const key = splitPem(await readTextFile(path), 'key_unreadable').find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (key !== undefined) return new Secret(key.pem);
  throw new GatewayError('key_missing', `${path} holds no private key`, { hint: 'set KEY_FILE (--tls-key)' });
}

async function readPassphrase({ keyFilePassword, keyPasswordFile }: SettingValues): Promise<Secret | undefined> {
  if (keyPasswordFile === undefined) return keyFilePassword;
  return new Secret((await readTextFile(keyPasswordFile)).replace(/\r?\n$/, ''));
}
