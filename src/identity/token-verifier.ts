import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { makeRoom } from '../base/make-room.ts';
import type { ForeignIssuers } from './issuers/foreign-issuers.ts';
import { MAX_TOKEN_CHARACTERS, readJwt } from './jwt.ts';
import { isKeptToken } from './kept-tokens.ts';
import type { KeptTokens } from './kept-tokens.ts';
import { verifyOwnToken } from './own-tokens.ts';
import type { RecognisedToken, TokenCaller } from './recognised-token.ts';
import type { TokenKey } from './token.ts';

const MAX_CACHED_COUNT = 1000;
const MAX_CACHED_MS = 60_000;

interface Verified extends TokenCaller {
  /** On the monotonic clock. */
  readonly untilMs: number;
}

/** Who else vouches for callers, beside the keys of this gateway. */
export interface TokenSources {
  readonly issuers?: ForeignIssuers | undefined;
  /** Tokens that are kept, and those that were taken back. */
  readonly kept?: KeptTokens | undefined;
}

/**
 * Recognises callers by their bearer token. Verified tokens are remembered, successes only, until they expire but at
 * most for a minute, so that a warm call costs one look into a Map.
 */
export class TokenVerifier {
  readonly #clock: Clock;
  readonly #issuers: ForeignIssuers | undefined;
  readonly #kept: KeptTokens | undefined;
  #keys: readonly TokenKey[];
  /** By the whole header, oldest first. Replaced when all is forgotten, so that what is under way then leaves no trace. */
  #verified = new Map<string, Verified>();

  constructor(keys: readonly TokenKey[], clock: Clock, { issuers, kept }: TokenSources = {}) {
    this.#keys = keys;
    this.#clock = clock;
    this.#issuers = issuers;
    this.#kept = kept;
    issuers?.follow(() => this.forget());
    kept?.follow(() => this.forget());
  }

  /** Believes these keys from now on, and no others. */
  use(keys: readonly TokenKey[]): void {
    this.#keys = keys;
    this.forget();
  }

  /** Verifies every token anew. */
  forget(): void {
    this.#verified = new Map();
  }

  /**
   * The caller an Authorization header names; a promise only where a signature has to be checked.
   *
   * @throws GatewayError unauthenticated, token_expired, issuer_unavailable, store_unavailable
   */
  callerOf(authorization: string): TokenCaller | Promise<TokenCaller> {
    const verified = this.#verified.get(authorization);
    if (verified !== undefined && this.#clock.monotonicMs() < verified.untilMs) return verified;
    return this.#verify(authorization);
  }

  async #verify(authorization: string): Promise<TokenCaller> {
    const remembered = this.#verified;
    remembered.delete(authorization);
    if (authorization.length > MAX_TOKEN_CHARACTERS)
      throw new GatewayError('unauthenticated', `the token is longer than ${MAX_TOKEN_CHARACTERS} characters`);
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw new GatewayError('unauthenticated', 'expected an authorization of type bearer');
    const { expiresMs, issuedMs: _issued, jti: _jti, ...caller } = await this.#recognise(token);
    const validMs = Math.min(expiresMs - this.#clock.nowMs(), MAX_CACHED_MS);
    const verified = { ...caller, untilMs: this.#clock.monotonicMs() + validMs };
    makeRoom(remembered, MAX_CACHED_COUNT);
    remembered.set(authorization, verified);
    return verified;
  }

  async #recognise(token: string): Promise<RecognisedToken> {
    const nowMs = this.#clock.nowMs();
    if (this.#kept !== undefined && isKeptToken(token)) return this.#kept.recognise(token);
    const jwt = readJwt(token);
    const { iss } = jwt.claims;
    const recognised = this.#issuers?.has(iss)
      ? await this.#issuers.verify(jwt, iss, nowMs)
      : await verifyOwnToken(jwt, this.#keys, nowMs);
    await this.#kept?.refuseRevoked(recognised);
    return recognised;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;
