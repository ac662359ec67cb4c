import { keyForm } from './pki.ts';

/** Runs of a PEM body that no other text would contain. */
const bodyOf = (pem: string): string[] =>
  pem.split('\n').filter((line) => line.length > 40 && !line.startsWith('-----'));

/** A private key under a passphrase, and every text that would give one of them away. */
export interface CanaryKey {
  /** PKCS#8, encrypted. */
  readonly encryptedPem: string;
  readonly passphrase: string;
  /** How many of the texts, and of `secrets`, are somewhere in `text`. */
  countIn(text: string): number;
}

/**
 * @param keyPem the key, plain
 * @param secrets further texts that must not be seen
 */
export function makeCanaryKey(keyPem: string, secrets: readonly string[]): CanaryKey {
  const passphrase = `canary-passphrase-${crypto.randomUUID()}`;
  const encryptedPem = keyForm(keyPem, { passphrase });
  const plain = [passphrase, ...secrets, ...bodyOf(keyPem), ...bodyOf(encryptedPem)];
  // lines end on multiples of three bytes, so base64 of base64 is found at any of three offsets
  const encoded = plain.flatMap((text) => ['', 'x', 'xx'].map((before) => btoa(before + text).slice(4, -4)));
  const raw = [keyPem, encryptedPem].flatMap((pem) =>
    bodyOf(pem).map((line) => Buffer.from(line, 'base64').toString('latin1')),
  );
  const canaries = [...plain, ...encoded, ...raw];
  return { encryptedPem, passphrase, countIn: (text) => canaries.filter((canary) => text.includes(canary)).length };
}
