import { createHash } from 'node:crypto';
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
import type { Certificate, CertificateFacts, Clock, KeyOpener, ListReader, SettingValues } from '../../../src/index.ts';
import { readTextFile } from '../files/file-reader.ts';
import { readCallerTrust } from './caller-trust.ts';
import { readNamed } from './named-file.ts';
import { tryOut } from './secure-options.ts';
import type { Presented } from './secure-options.ts';

/** What the listener presents and whom it lets in: checked, and the key opened. */
export interface ListenerIdentity extends Presented {
  /** Of the leaf. */
  readonly facts: CertificateFacts;
  /** Two identities that present the same and let in the same have the same one. */
  readonly fingerprint: string;
}

/**
 * Everything the listener needs of its files, and of `readList` once there is one, each held to the same rules as an upstream's; undefined where TLS is off.
 *
 * @throws GatewayError file_refused and the codes of certificates, keys, CAs and revocation lists
 */
export async function readListenerIdentity(
  settings: SettingValues,
  openKey: KeyOpener,
  clock: Clock,
  readList?: ListReader,
): Promise<ListenerIdentity | undefined> {
  const { certFile, keyFile = certFile, tlsMinVersion: minVersion, tlsCiphers: ciphers } = settings;
  if (certFile === undefined || keyFile === undefined) return undefined;
  const [leaf, ...intermediates] = await readNamed(certFile, (pem) => openChain(pem, clock.nowMs()));
  const passphrase = await readPassphrase(settings);
  const { pkcs8, publicKey } = await readNamed(keyFile, (pem) => openKey(keyOf(pem), passphrase));
  if (!equalBytes(publicKey, leaf.publicKey))
    throw new GatewayError('key_mismatch', `the key in ${keyFile} does not belong to the certificate in ${certFile}`, {
      hint: 'give the key the certificate was issued for',
    });
  const chainPem = [leaf, ...intermediates].map(({ pem }) => pem).join('');
  const callers = await readCallerTrust(settings, clock.nowMs(), readList);
  const parts = { chainPem, privateKey: pkcs8, minVersion, ciphers, facts: leaf.facts, callers };
  tryOut(parts);
  return { ...parts, fingerprint: fingerprintOf(parts) };
}

async function openChain(pem: string, nowMs: number): Promise<readonly [Certificate, ...Certificate[]]> {
  const [leaf, ...intermediates] = await orderChain(await parseCertificates(pem, 'certificate_unreadable'));
  if (leaf === undefined) throw new GatewayError('certificate_missing', 'it holds no certificate');
  checkServerCertificate(leaf, nowMs);
  for (const intermediate of intermediates) checkIntermediate(intermediate, nowMs);
  return [leaf, ...intermediates];
}

function keyOf(pem: string): Secret {
  const key = splitPem(pem, 'key_unreadable').find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (key !== undefined) return new Secret(key.pem);
  throw new GatewayError('key_missing', 'it holds no private key', { hint: 'set KEY_FILE (--tls-key)' });
}

async function readPassphrase({ keyFilePassword, keyPasswordFile }: SettingValues): Promise<Secret | undefined> {
  if (keyPasswordFile === undefined) return keyFilePassword;
  return new Secret((await readTextFile(keyPasswordFile)).replace(/\r?\n$/, ''));
}

/** The key is named by its certificate, which it was found to belong to. */
function fingerprintOf({ chainPem, minVersion, callers }: Presented): string {
  const trust = callers && [callers.isRequired, callers.anchors.map(({ pem }) => pem), callers.crls, callers.pins];
  return createHash('sha256')
    .update(JSON.stringify([chainPem, minVersion, trust]))
    .digest('hex');
}
