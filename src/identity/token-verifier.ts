import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Clock } from '../base/clock.ts';
import { fromBase64, toHex } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import { makeRoom } from '../base/make-room.ts';
import { mintPrincipal } from './principal.ts';
import type { Principal, Role } from './principal.ts';
import type { TokenKey } from './token.ts';

const MAX_CACHED_COUNT = 1000;
const MAX_CACHED_MS = 60_000;

/** Who a token says calls. */
export interface TokenCaller {
  readonly principal: Principal;
  /** SHA-256, in lower-case hex, of the client certificate it may only be sent with; undefined for any. */
  readonly boundTo: string | undefined;
}

interface Verified extends TokenCaller {
  /** On the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Recognises callers by their bearer token. Verified tokens are remembered, successes only, until they expire but at
 * most for a minute, so that a warm call costs one look into a Map.
 */
export class TokenVerifier {
  readonly #key: TokenKey;
  readonly #clock: Clock;
  /** By the whole header, oldest first. */
  readonly #verified = new Map<string, Verified>();

  constructor(key: TokenKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /**
   * The caller an Authorization header names; a promise only where a signature has to be checked.
   *
   * @throws GatewayError unauthenticated, token_expired
   */
  callerOf(authorization: string): TokenCaller | Promise<TokenCaller> {
    const verified = this.#verified.get(authorization);
    if (verified !== undefined && this.#clock.monotonicMs() < verified.untilMs) return verified;
    return this.#verify(authorization);
  }

  async #verify(authorization: string): Promise<TokenCaller> {
    this.#verified.delete(authorization);
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw new GatewayError('unauthenticated', 'expected an authorization of type bearer');
    const payload = await verifyToken(token, this.#key, this.#clock.nowMs());
    const { sub: subject, role } = payload;
    const principal = mintPrincipal({ subject, role, method: 'token', issuer: this.#key.issuer });
    const validMs = Math.min(payload.exp * 1000 - this.#clock.nowMs(), MAX_CACHED_MS);
    const verified = { principal, boundTo: payload.boundTo, untilMs: this.#clock.monotonicMs() + validMs };
    makeRoom(this.#verified, MAX_CACHED_COUNT);
    this.#verified.set(authorization, verified);
    return verified;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;

interface Claims {
  readonly sub: string;
  readonly exp: number;
  readonly role: Role;
  readonly boundTo: string | undefined;
}

async function verifyToken(
  token: string,
  { key, algorithm, issuer, audience }: TokenKey,
  nowMs: number,
): Promise<Claims> {
  const options = {
    algorithms: [algorithm],
    issuer,
    audience,
    requiredClaims: ['sub', 'exp', 'iss', 'aud'],
    currentDate: new Date(nowMs),
  };
  try {
    return claimsOf((await jwtVerify(token, key, options)).payload);
  } catch (error) {
    throw refusalOf(error);
  }
}

function claimsOf({ sub, exp, role = 'user', cnf }: JWTPayload): Claims {
  if (typeof sub !== 'string' || sub === '') throw new GatewayError('unauthenticated', 'the token names no subject');
  if (role !== 'admin' && role !== 'user')
    throw new GatewayError('unauthenticated', 'the token has a role that is neither admin nor user');
  // jose has checked that exp is there and a number
  return { sub, exp: exp as number, role, boundTo: cnf === undefined ? undefined : thumbprintOf(cnf) };
}

/** The certificate of a confirmation claim; other ways to bind a token are not known here, and so not met. */
function thumbprintOf(cnf: unknown): string {
  const { 'x5t#S256': thumbprint } = asFields(cnf) ?? {};
  if (typeof thumbprint === 'string' && /^[\w-]{43}$/.test(thumbprint)) return toHex(fromBase64(thumbprint));
  throw new GatewayError('unauthenticated', 'the token is bound to something other than a client certificate');
}

/** Why a token was refused; the error of the library is left out, it may hold the claims. */
function refusalOf(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof errors.JWTExpired) return new GatewayError('token_expired', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return new GatewayError('unauthenticated', `the token does not meet claim ${error.claim}`);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new GatewayError('unauthenticated', 'the token is signed with another algorithm than configured');
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new GatewayError('unauthenticated', 'the token is not signed with the key of this gateway');
  return new GatewayError('unauthenticated', 'the token is malformed');
}
