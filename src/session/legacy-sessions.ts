/**
 * session: legacy MCP sessions without memory of them.
 *
 * A session id is its own state, sealed: any replica that holds the vault keys can serve it. Owns opening, resuming
 * and revoking them. Must not know HTTP, and never authenticates: a session is bound to the subject that opened it.
 */
import { GatewayError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { RecordStore } from '../store/records.ts';
import type { Vault } from '../vault/vault.ts';
import { Revocations } from './revocations.ts';

/** What a client said when it initialized; replayed when an upstream lost its session. */
export type InitializeParams = Readonly<Record<string, unknown>>;

/** What one upstream agreed to. */
export interface UpstreamSession {
  /** The upstream's session id, `''` where it keeps none. */
  readonly id: string;
  readonly protocolVersion: string;
}

interface SessionState {
  readonly id: string;
  readonly subject: string;
  /** Key of the virtual server the session belongs to. */
  readonly server: string;
  readonly initialize: InitializeParams;
  /** By upstream id; only upstreams that answered are here. */
  readonly upstreams: Readonly<Record<string, UpstreamSession>>;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** An open legacy session; upstream session ids may be renewed while it lives. */
export class LegacySession {
  readonly token: string;
  readonly state: SessionState;
  readonly #renewed = new Map<string, UpstreamSession>();

  constructor(token: string, state: SessionState) {
    this.token = token;
    this.state = state;
  }

  /** What the upstream agreed to; undefined when it takes no part in this session. */
  upstream(upstreamId: string): UpstreamSession | undefined {
    return this.#renewed.get(upstreamId) ?? this.state.upstreams[upstreamId];
  }

  /** Records that the upstream was initialized again. */
  renew(upstreamId: string, session: UpstreamSession): void {
    this.#renewed.set(upstreamId, session);
  }
}

export interface LegacySessionsOptions {
  readonly vault: Vault;
  readonly records: RecordStore;
  readonly clock: Clock;
  /** Milliseconds a session lives after it was opened. */
  readonly lifetimeMs: number;
  /** How many opened sessions are kept in memory, so that a warm call decrypts nothing. */
  readonly maxCachedCount: number;
}

const PURPOSE = 'mcp-session';
/** An id travels in a header: Node takes 16 KiB of headers in all, and what is longer would fill the cache. */
const MAX_TOKEN_CHARACTERS = 14 * 1024;

/** Opens, resumes and ends sessions; an opened one is remembered, so that a warm call decrypts and reads nothing. */
export class LegacySessions {
  readonly #options: LegacySessionsOptions;
  readonly #revocations: Revocations;
  /** By token, least recently used first. */
  readonly #cached = new Map<string, LegacySession>();
  #revokedCount = 0;

  constructor(options: LegacySessionsOptions) {
    this.#options = options;
    this.#revocations = new Revocations(options.records, options.clock);
  }

  /** Seals a new session. @throws GatewayError request_too_large when no header could carry its id */
  async open(facts: Omit<SessionState, 'id' | 'expiresAtMs'>): Promise<LegacySession> {
    const { vault, clock, lifetimeMs } = this.#options;
    const state: SessionState = { ...facts, id: newId(), expiresAtMs: clock.nowMs() + lifetimeMs };
    const token = await vault.sealToken({ ...state }, PURPOSE);
    if (token.length > MAX_TOKEN_CHARACTERS) throw tooLarge(token.length);
    return this.#remember(new LegacySession(token, state));
  }

  /**
   * The session a token stands for; at once when it was seen before.
   *
   * @throws GatewayError session_not_found when it is unknown, expired, revoked, another subject's or another server's;
   * the reasons are not told apart, so that a stolen id teaches nothing.
   */
  resume(token: string, subject: string, server: string): LegacySession | Promise<LegacySession> {
    const known = this.#recall(token);
    if (known) return this.#admit(known, subject, server);
    return this.#unseal(token).then((session) => this.#admit(session, subject, server));
  }

  #admit(session: LegacySession, subject: string, server: string): LegacySession {
    const { state } = session;
    if (state.subject !== subject || state.server !== server) throw notFound();
    if (state.expiresAtMs <= this.#options.clock.nowMs()) {
      this.#cached.delete(session.token);
      throw notFound();
    }
    return session;
  }

  /** Ends a session here, and on every replica that has not cached it. @throws GatewayError store_unavailable */
  async revoke(session: LegacySession): Promise<void> {
    await this.#revocations.add(session.state);
    this.#revokedCount++;
    this.#cached.delete(session.token);
  }

  async #unseal(token: string): Promise<LegacySession> {
    const { vault } = this.#options;
    let claims: Readonly<Record<string, unknown>>;
    try {
      claims = await vault.openToken(token, PURPOSE);
    } catch (cause) {
      throw new GatewayError('session_not_found', SESSION_NOT_FOUND, { cause });
    }
    // only this class seals tokens for this purpose, and sealing is authenticated
    const state = claims as unknown as SessionState;
    const revokedBefore = this.#revokedCount;
    if (await this.#revocations.has(state)) throw notFound();
    // one that was ended while the store was asked must not come back into the cache
    if (this.#revokedCount !== revokedBefore) return this.#unseal(token);
    return this.#remember(new LegacySession(token, state));
  }

  /** The cached session, now the most recently used. */
  #recall(token: string): LegacySession | undefined {
    const session = this.#cached.get(token);
    if (!session) return undefined;
    this.#cached.delete(token);
    this.#cached.set(token, session);
    return session;
  }

  #remember(session: LegacySession): LegacySession {
    const known = this.#cached.get(session.token);
    if (known) return known;
    const oldest = this.#cached.keys().next();
    if (this.#cached.size >= this.#options.maxCachedCount && !oldest.done) this.#cached.delete(oldest.value);
    this.#cached.set(session.token, session);
    return session;
  }
}

const SESSION_NOT_FOUND = 'the session is unknown, ended or belongs to another caller; initialize again';
const notFound = (): GatewayError => new GatewayError('session_not_found', SESSION_NOT_FOUND);

const tooLarge = (characters: number): GatewayError =>
  new GatewayError(
    'request_too_large',
    `the id of this session would have ${characters} characters, which no header carries`,
    {
      hint: 'send less in initialize, or connect to fewer servers at once: /servers/{slug}/mcp is a single one',
    },
  );
