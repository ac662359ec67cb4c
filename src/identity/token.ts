import { SignJWT } from 'jose';
import { utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Secret } from '../base/secret.ts';
import type { Role } from './principal.ts';

/** What tokens are signed and checked with: one key, one algorithm, one issuer, one audience. */
export interface TokenKey {
  readonly key: CryptoKey;
  readonly algorithm: HmacAlgorithm;
  readonly issuer: string;
  readonly audience: string;
}

/** The JWS algorithms tokens may be signed with. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
export type HmacAlgorithm = 'HS256' | 'HS384' | 'HS512';

/** The settings a token key comes from. */
export interface TokenSettings {
  /** Its UTF-8 bytes are the key. */
  readonly jwtSecretKey: Secret;
  readonly jwtAlgorithm: HmacAlgorithm;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
}

/** A token key on WebCrypto; the secret cannot be read back from it. */
export async function importTokenKey(settings: TokenSettings): Promise<TokenKey> {
  const algorithm = settings.jwtAlgorithm;
  const parameters = { name: 'HMAC', hash: `SHA-${algorithm.slice(2)}` };
  const secret = utf8(settings.jwtSecretKey.reveal());
  const key = await crypto.subtle.importKey('raw', secret, parameters, false, ['sign', 'verify']);
  return { key, algorithm, issuer: settings.jwtIssuer, audience: settings.jwtAudience };
}

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
    .setProtectedHeader({ alg: signer.algorithm, typ: 'JWT' })
    .setSubject(subject)
    .setIssuer(signer.issuer)
    .setAudience(signer.audience)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ttlSeconds)
    .sign(signer.key);
}
