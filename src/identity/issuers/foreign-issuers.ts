import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { boundTo, subjectIn, verifiedClaims } from '../jwt.ts';
import type { UnverifiedJwt } from '../jwt.ts';
import { mintPrincipal } from '../principal.ts';
import type { RecognisedToken } from '../recognised-token.ts';
import { isSignatureAlgorithm } from '../token-algorithms.ts';
import { fetchKeySet } from './discovery.ts';
import { claimsIn, foreignSubject } from './foreign-claims.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { JsonFetcher } from './json-fetcher.ts';

export interface ForeignIssuersOptions {
  /** POSTERN_TRUSTED_ISSUERS */
  readonly issuers: readonly string[];
  /** What a token names that is for all of the gateway. */
  readonly audience: string;
  readonly fetcher: JsonFetcher;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** How far the clock of an issuer may be ahead of ours, or behind. */
const SKEW_SECONDS = 30;
const MAX_AUDIENCES = 32;

/** Believes tokens of other issuers, by the keys these publish. Whoever they name is a user, never an admin. */
export class ForeignIssuers {
  readonly #audience: string;
  readonly #keys: ReadonlyMap<string, IssuerKeys>;
  readonly #listeners: (() => void)[] = [];

  constructor({ issuers, audience, fetcher, clock, events }: ForeignIssuersOptions) {
    this.#audience = audience;
    const onChange = (): void => {
      for (const listener of this.#listeners) listener();
    };
    this.#keys = new Map(
      issuers.map((issuer) => {
        const fetchKeys = (signal: AbortSignal) => fetchKeySet(issuer, fetcher, signal);
        return [issuer, new IssuerKeys({ issuer, fetchKeys, clock, events, onChange })];
      }),
    );
  }

  /** Has `listener` told when the keys of an issuer are others than before. */
  follow(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether this is what a trusted issuer calls itself, letter by letter. */
  has(issuer: unknown): issuer is string {
    return typeof issuer === 'string' && this.#keys.has(issuer);
  }

  /**
   * Who a token of a trusted issuer stands for.
   *
   * @throws GatewayError unauthenticated, token_expired, issuer_unavailable
   */
  async verify(jwt: UnverifiedJwt, issuer: string, nowMs: number): Promise<RecognisedToken> {
    // a secret both sides know is nobody's signature, and a public key is no secret
    if (!isSignatureAlgorithm(jwt.algorithm))
      throw new GatewayError('unauthenticated', 'the token is signed with an algorithm that is not taken from issuers');
    const keys = (await this.#keys.get(issuer)?.find(jwt.kid, jwt.algorithm)) ?? [];
    const payload = await verifiedClaims(jwt, keys, {
      issuer,
      requiredClaims: ['sub', 'exp', 'iss', 'aud'],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(nowMs),
    });
    const { aud = [], exp, iat, jti } = payload;
    const audiences = typeof aud === 'string' ? [aud] : aud;
    if (audiences.length > MAX_AUDIENCES || !audiences.every((name) => typeof name === 'string'))
      throw new GatewayError('unauthenticated', 'the token does not meet claim aud');
    const subject = foreignSubject(issuer, subjectIn(payload));
    return {
      principal: mintPrincipal({ subject, role: 'user', method: 'token', issuer, claims: claimsIn(payload) }),
      boundTo: boundTo(payload),
      ...(!audiences.includes(this.#audience) && { resources: audiences }),
      // the library has checked that it is there and a number
      expiresMs: ((exp as number) + SKEW_SECONDS) * 1000,
      issuedMs: iat === undefined ? undefined : iat * 1000,
      jti: typeof jti === 'string' ? jti : undefined,
    };
  }
}
