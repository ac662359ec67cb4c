import { errors, jwtVerify } from 'jose';
import type { JWK, JWTPayload, JWTVerifyOptions } from 'jose';
import { fromBase64, fromUtf8, toHex } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { hasDuplicateNames } from './duplicate-names.ts';

/** A token that was taken apart; nothing of it is believed yet. */
export interface UnverifiedJwt {
  readonly token: string;
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly claims: Fields;
}

/** No header of HTTP has room for more on most listeners; what verifies signatures need not see it. */
export const MAX_TOKEN_CHARACTERS = 16_384;
const MAX_KID_CHARACTERS = 256;

/**
 * Takes a token apart. Of its header only `alg` and `kid` are looked at, and `crit` later: `jwk`, `jku`, `x5c` and `x5u`
 * name keys of whoever wrote them.
 *
 * @throws GatewayError unauthenticated
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 */
export function readJwt(token: string): UnverifiedJwt {
  const [header, claims, signature, more] = token.split('.');
  if (signature === undefined || more !== undefined) throw malformed();
  const { alg, kid } = partOf(header);
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) throw malformed();
  if (kid !== undefined && kid.length > MAX_KID_CHARACTERS) throw malformed();
  return { token, algorithm: alg, kid, claims: partOf(claims) };
}

/** Of two members of one name, readers differ on which counts. @see https://www.rfc-editor.org/rfc/rfc7519#section-4 */
function partOf(base64Url = ''): Fields {
  let fields: Fields | undefined;
  let text: string;
  try {
    text = fromUtf8(fromBase64(base64Url));
    fields = asFields(JSON.parse(text));
  } catch {
    throw malformed();
  }
  if (fields === undefined || hasDuplicateNames(text)) throw malformed();
  return fields;
}

const malformed = (): GatewayError => new GatewayError('unauthenticated', 'the token is malformed');

/**
 * The claims of a token that one of these keys signed, by the algorithm that belongs to each.
 *
 * @throws GatewayError unauthenticated, token_expired; never with a part of the token
 */
export async function verifiedClaims(
  { token }: UnverifiedJwt,
  keys: readonly { readonly key: CryptoKey | JWK; readonly algorithm: string }[],
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let refusal = notSigned();
  for (const { key, algorithm } of keys) {
    try {
      return (await jwtVerify(token, key, { ...options, algorithms: [algorithm] })).payload;
    } catch (error) {
      refusal = refusalOf(error);
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  throw refusal;
}

/** Why a token was refused; the error of the library is left out, it may hold the claims. */
function refusalOf(error: unknown): GatewayError {
  if (error instanceof errors.JWTExpired) return new GatewayError('token_expired', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return new GatewayError('unauthenticated', `the token does not meet claim ${error.claim}`);
  if (error instanceof errors.JWSSignatureVerificationFailed) return notSigned();
  return malformed();
}

const notSigned = (): GatewayError =>
  new GatewayError('unauthenticated', 'the token is not signed with a key that is believed here');

/** The subject of verified claims. @throws GatewayError unauthenticated */
export function subjectIn({ sub }: JWTPayload): string {
  if (typeof sub === 'string' && sub !== '') return sub;
  throw new GatewayError('unauthenticated', 'the token names no subject');
}

/**
 * SHA-256, in lower-case hex, of the certificate in a confirmation claim; other ways to bind a token are not known here,
 * and so not met.
 *
 * @throws GatewayError unauthenticated
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1
 */
export function boundTo({ cnf }: JWTPayload): string | undefined {
  if (cnf === undefined) return undefined;
  const { 'x5t#S256': thumbprint } = asFields(cnf) ?? {};
  if (typeof thumbprint === 'string' && /^[\w-]{43}$/.test(thumbprint)) return toHex(fromBase64(thumbprint));
  throw new GatewayError('unauthenticated', 'the token is bound to something other than a client certificate');
}
