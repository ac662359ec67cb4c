import { fromBase64, toBase64, toHex } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';

/** A vault key as operators hold it. */
export interface VaultKeyText {
  /** Names the key in everything it seals; 1 to 64 characters of A-Z a-z 0-9 . _ - */
  readonly kid: string;
  /** 32 bytes as base64 or base64url. */
  readonly key: Secret;
}

const KEY_BYTES = 32;
const KID = /^[A-Za-z0-9._-]{1,64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Whether a text can name a vault key. */
export function isVaultKid(kid: string): boolean {
  return KID.test(kid);
}

/**
 * Reads `kid:base64,kid2:base64`; the first is the primary. White space around an entry is ignored.
 *
 * @throws GatewayError vault_key_invalid naming the position, never a value
 */
export function parseVaultKeys(text: Secret): readonly VaultKeyText[] {
  const keys = text.reveal().split(',').map(parseEntry);
  const kids = keys.map(({ kid }) => kid);
  const repeated = kids.findIndex((kid, index) => kids.indexOf(kid) < index);
  if (repeated >= 0) throw invalid(repeated, `a key id of its own, met one that an earlier entry has`);
  return keys;
}

/** The text `parseVaultKeys` reads. */
export function formatVaultKeys(keys: readonly VaultKeyText[]): Secret {
  return new Secret(keys.map(({ kid, key }) => `${kid}:${key.reveal()}`).join(','));
}

/** A fresh random key; the default `kid` is 8 random hexadecimal digits. */
export function generateVaultKey(kid: string = toHex(crypto.getRandomValues(new Uint8Array(4)))): VaultKeyText {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  try {
    return { kid, key: new Secret(toBase64(bytes)) };
  } finally {
    bytes.fill(0);
  }
}

function parseEntry(entry: string, index: number): VaultKeyText {
  const text = entry.trim();
  const colon = text.indexOf(':');
  if (text === '') throw invalid(index, 'kid:base64, met nothing');
  // what stands before the colon is not shown either: it may be the key, pasted without a kid
  if (colon < 0) throw invalid(index, 'kid:base64, met a text without a colon');
  const kid = text.slice(0, colon);
  const key = text.slice(colon + 1);
  if (!isVaultKid(kid)) throw invalid(index, 'a key id of 1 to 64 characters of A-Z a-z 0-9 . _ -, met something else');
  if (!BASE64.test(key)) throw invalid(index, `${KEY_BYTES} bytes of base64, met characters outside it`);
  const length = Math.floor((key.replace(/=+$/, '').length * 3) / 4);
  if (length !== KEY_BYTES) throw invalid(index, `${KEY_BYTES} bytes of base64, met ${length} bytes`);
  return { kid, key: new Secret(key) };
}

const invalid = (index: number, expectation: string): GatewayError =>
  new GatewayError('vault_key_invalid', `vault key ${index + 1}: expected ${expectation}`, {
    hint: 'write vault keys as kid:base64,kid2:base64 with 32 random bytes each, the primary first',
    details: { position: index + 1 },
  });

/** The 32 bytes of a parsed key; the caller wipes them. */
export function vaultKeyBytes({ key }: VaultKeyText): Uint8Array<ArrayBuffer> {
  return fromBase64(key.reveal());
}
