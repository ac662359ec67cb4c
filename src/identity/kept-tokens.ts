import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { parseNetwork } from '../base/networks.ts';
import { digestOf } from './digest.ts';
import { mintPrincipal } from './principal.ts';
import type { TokenScope } from './principal.ts';
import type { RecognisedToken } from './recognised-token.ts';

/** A token the API handed out, as it is kept: of the token itself only the hash. */
export interface KeptToken {
  readonly id: string;
  /** SHA-256 of the token, as base64url: it has 256 random bits, so nobody finds it by trying. */
  readonly hash: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly issuedAt: string;
  /** ISO 8601; null for one that does not expire. */
  readonly expiresAt: string | null;
  readonly scope?: TokenScope;
  /** Networks it may come from; absent for anywhere. */
  readonly networks?: readonly string[];
}

/** Tokens that were taken back, as they are kept under `revocationId`: one by its `jti`, or all of a subject. */
export interface Revocation {
  /** Of all tokens of a subject: those issued before this moment, ISO 8601; absent for one token. */
  readonly issuedBefore?: string;
}

/** What is kept of tokens, as it was read last. */
export interface KeptState {
  readonly tokens: readonly KeptToken[];
  /** By `revocationId`; null for a record that cannot be believed: its name alone says whom it is about. */
  readonly revocations: ReadonlyMap<string, Revocation | null>;
}

/** What tokens that are kept begin with, so that scanners for secrets know them. */
export const KEPT_PREFIX = 'pst_';

/** Whether a bearer token is one of those that are kept. */
export const isKeptToken = (token: string): boolean => token.startsWith(KEPT_PREFIX);

/** The name of a revocation among records; it can be worked out from what it is about, and not the other way. */
export const revocationId = async (kind: 'jti' | 'subject', name: string): Promise<string> =>
  `${kind}-${await digestOf(name)}`;

/** How long what was read last counts while the store cannot be read: somebody may have taken a token back since. */
const UNREAD_MS = 15 * 60_000;

/** Tokens that are kept and those that were taken back, in memory. */
export class KeptTokens {
  readonly #clock: Clock;
  readonly #issuer: string;
  readonly #listeners: (() => void)[] = [];
  #byHash: ReadonlyMap<string, KeptToken> = new Map();
  #revocations: KeptState['revocations'] = new Map();
  /** On the monotonic clock; undefined while the store can be read. */
  #unreadSinceMs: number | undefined;

  /** @param issuer who says that it handed the tokens out */
  constructor(issuer: string, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** Has `listener` told when it holds something else than before. */
  follow(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Holds this from now on. */
  use({ tokens, revocations }: KeptState): void {
    this.#byHash = new Map(tokens.map((token) => [token.hash, token]));
    this.#revocations = revocations;
    for (const listener of this.#listeners) listener();
  }

  /** Whether the store could be read when it was tried last. */
  setRead(wasRead: boolean): void {
    this.#unreadSinceMs = wasRead ? undefined : (this.#unreadSinceMs ?? this.#clock.monotonicMs());
  }

  /** Who a kept token stands for. @throws GatewayError unauthenticated, token_expired, store_unavailable */
  async recognise(token: string): Promise<RecognisedToken> {
    const kept = this.#byHash.get(await digestOf(token));
    if (kept === undefined)
      throw new GatewayError('unauthenticated', 'the token is not one of those that were handed out, or was revoked');
    const { id, subject, scope, networks, expiresAt, issuedAt } = kept;
    const expiresMs = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
    if (!(this.#clock.nowMs() < expiresMs)) throw new GatewayError('token_expired', 'the token has expired');
    const recognised: RecognisedToken = {
      principal: mintPrincipal({
        subject,
        role: 'user',
        method: 'token',
        issuer: this.#issuer,
        claims: { token_id: id },
        ...(scope && { scope }),
      }),
      boundTo: undefined,
      ...(networks && { networks: networks.flatMap((network) => parseNetwork(network) ?? []) }),
      expiresMs,
      issuedMs: Date.parse(issuedAt),
      jti: undefined,
    };
    await this.refuseRevoked(recognised);
    return recognised;
  }

  /** Refuses what was taken back, and everything once nobody knows any more. @throws GatewayError unauthenticated, store_unavailable */
  async refuseRevoked({ principal, jti, issuedMs = 0 }: RecognisedToken): Promise<void> {
    if (this.#unreadSinceMs !== undefined && this.#clock.monotonicMs() - this.#unreadSinceMs >= UNREAD_MS)
      throw new GatewayError('store_unavailable', 'whether the token was revoked cannot be read from the store', {
        hint: 'try again once the store is back; a client certificate is taken meanwhile',
      });
    if (this.#revocations.size === 0) return;
    const { issuer, subject } = principal;
    const one = jti !== undefined && issuer === this.#issuer ? await revocationId('jti', jti) : undefined;
    if (one !== undefined && this.#revocations.has(one)) throw revoked();
    const all = this.#revocations.get(await revocationId('subject', subject));
    if (all === undefined) return;
    const beforeMs = Date.parse(all?.issuedBefore ?? '');
    // also where the moment cannot be read
    if (!(issuedMs >= beforeMs)) throw revoked();
  }
}

const revoked = (): GatewayError => new GatewayError('unauthenticated', 'the token was revoked');
