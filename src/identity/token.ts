import { SignJWT } from 'jose';
import { utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { Secret } from '../base/secret.ts';
import type { FileReader } from '../platform.ts';
import type { Role } from './principal.ts';
import { openSignatureKeys } from './signature-keys.ts';
import type { SignatureKey } from './signature-keys.ts';
import { isSignatureAlgorithm } from './token-algorithms.ts';
import type { HmacAlgorithm, SignatureAlgorithm, TokenAlgorithm } from './token-algorithms.ts';

/** What tokens are signed or checked with: one key, one algorithm, one issuer, one audience. */
export interface TokenKey {
  readonly key: CryptoKey;
  readonly algorithm: TokenAlgorithm;
  /** Absent where there is but one: a secret. */
  readonly kid?: string;
  /** RFC 7638, of its public half; absent for a secret. */
  readonly thumbprint?: string;
  readonly issuer: string;
  readonly audience: string;
}

/** The settings token keys come from. */
export interface TokenSettings {
  /** Its UTF-8 bytes are the key; not needed where a private key signs. */
  readonly jwtSecretKey: Secret | undefined;
  readonly jwtAlgorithm: TokenAlgorithm;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** Paths, or PEM or JSON itself. */
  readonly jwtPublicKeyPath?: string | undefined;
  readonly jwtPrivateKeyPath?: Secret | undefined;
}

/** Keys of this gateway. */
export interface TokenKeys {
  /** A token may be signed with any of them. */
  readonly verifying: readonly TokenKey[];
  /** Undefined where no private key was given. */
  readonly signing: TokenKey | undefined;
}

/** Whether a setting holds PEM or JSON itself, not the path to it. */
export const isKeyText = (value: string): boolean => /^\s*(?:-----BEGIN |\{)/.test(value);

/**
 * Every key tokens of this gateway may be signed with; secrets and private keys cannot be read back from it.
 *
 * @param readFile reads what a setting names; absent where there are no files
 * @throws GatewayError config_invalid, key_unreadable, key_missing, file_refused
 */
export async function openTokenKeys(settings: TokenSettings, readFile?: FileReader): Promise<TokenKeys> {
  const { jwtAlgorithm: algorithm, jwtSecretKey, jwtPublicKeyPath, jwtPrivateKeyPath } = settings;
  const facts = { issuer: settings.jwtIssuer, audience: settings.jwtAudience };
  if (!isSignatureAlgorithm(algorithm)) {
    if (jwtSecretKey === undefined) throw missing(`${algorithm} needs JWT_SECRET_KEY`);
    const signing = { ...facts, algorithm, key: await importSecret(jwtSecretKey, algorithm) };
    return { signing, verifying: [signing] };
  }
  const read = (name: string, value: Secret | undefined): Promise<readonly SignatureKey[]> =>
    value === undefined ? Promise.resolve([]) : readKeys(name, value, algorithm, readFile);
  const own = await read('JWT_PRIVATE_KEY_PATH', jwtPrivateKeyPath);
  const others = await read('JWT_PUBLIC_KEY_PATH', jwtPublicKeyPath ? new Secret(jwtPublicKeyPath) : undefined);
  if (others.some(({ privateKey }) => privateKey !== undefined))
    throw new GatewayError('key_unreadable', 'JWT_PUBLIC_KEY_PATH: it holds a private key', {
      hint: 'give private keys with JWT_PRIVATE_KEY_PATH; their public halves need not be given again',
    });
  if (own.length + others.length === 0) throw missing(`${algorithm} needs JWT_PRIVATE_KEY_PATH or JWT_PUBLIC_KEY_PATH`);
  // the same key may stand in both
  const all = [...own, ...others.filter(({ thumbprint }) => !own.some((key) => key.thumbprint === thumbprint))];
  if (new Set(all.map(({ kid }) => kid)).size < all.length)
    throw new GatewayError('key_unreadable', 'JWT_PUBLIC_KEY_PATH: it holds another key of the same kid');
  const signer = own.find(({ privateKey }) => privateKey !== undefined);
  return {
    verifying: all.map(({ kid, thumbprint, algorithm: of, publicKey }) => ({
      ...facts,
      kid,
      thumbprint,
      algorithm: of,
      key: publicKey,
    })),
    signing: signer?.privateKey && { ...facts, kid: signer.kid, algorithm: signer.algorithm, key: signer.privateKey },
  };
}

/** The key that signs. @throws GatewayError as `openTokenKeys`, and config_invalid where there is none */
export async function importTokenKey(settings: TokenSettings, readFile?: FileReader): Promise<TokenKey> {
  const { signing } = await openTokenKeys(settings, readFile);
  if (signing !== undefined) return signing;
  throw missing('JWT_PRIVATE_KEY_PATH names no private key, so nothing can be signed here');
}

async function importSecret(secret: Secret, algorithm: HmacAlgorithm): Promise<CryptoKey> {
  const parameters = { name: 'HMAC', hash: `SHA-${algorithm.slice(2)}` };
  return crypto.subtle.importKey('raw', utf8(secret.reveal()), parameters, false, ['sign', 'verify']);
}

async function readKeys(
  name: string,
  value: Secret,
  algorithm: SignatureAlgorithm,
  readFile: FileReader | undefined,
): Promise<readonly SignatureKey[]> {
  try {
    return await openSignatureKeys(await settingText(value, readFile), algorithm);
  } catch (error) {
    const { code, message, hint } = toGatewayError(error);
    throw new GatewayError(code, `${name}: ${message}`, { ...(hint !== undefined && { hint }) });
  }
}

/** What a setting holds, or the file it names. @throws GatewayError file_refused */
export async function settingText(value: Secret, readFile: FileReader | undefined): Promise<string> {
  if (isKeyText(value.reveal())) return value.reveal();
  if (readFile !== undefined) return readFile(value.reveal());
  throw new GatewayError('file_refused', 'there are no files here', { hint: 'give the PEM or JSON itself' });
}

const missing = (message: string): GatewayError => new GatewayError('config_invalid', message);

/** Whom a token is for, and for how long. */
export interface TokenRequest {
  readonly subject: string;
  readonly role: Role;
  /** From now; at least 1. */
  readonly ttlSeconds: number;
}

/** A signed bearer token for one caller. @see https://www.rfc-editor.org/rfc/rfc7519 */
export function mintToken(
  { subject, role, ttlSeconds }: TokenRequest,
  signer: TokenKey,
  clock: Clock,
): Promise<string> {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  return new SignJWT({ role })
    .setProtectedHeader({ alg: signer.algorithm, typ: 'JWT', ...(signer.kid !== undefined && { kid: signer.kid }) })
    .setJti(newId())
    .setSubject(subject)
    .setIssuer(signer.issuer)
    .setAudience(signer.audience)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ttlSeconds)
    .sign(signer.key);
}
