/**
 * session: legacy MCP sessions without memory of them.
 *
 * A session id is its own state, sealed, or the name of what stands in the store: any replica can serve it. Owns opening, resuming
 * and ending them. Must not know HTTP, and never authenticates: a session is bound to the subject that opened it.
 */
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { makeRoom } from '../base/make-room.ts';
import type { RecordStore } from '../store/records.ts';
import type { Vault } from '../vault/vault.ts';
import { LegacySession } from './legacy-session.ts';
import type { OpeningState, SessionClaims, SessionContent, SessionState, UpstreamSession } from './legacy-session.ts';
import { SessionRecords } from './session-records.ts';
import type { RecordedSession } from './session-records.ts';

export interface LegacySessionsOptions {
  readonly vault: Vault;
  readonly records: RecordStore;
  readonly events: EventSink;
  readonly clock: Clock;
  /** Milliseconds a session lives after it was opened. */
  readonly lifetimeMs: number;
  /** How many opened sessions are kept in memory, so that a warm call decrypts nothing. */
  readonly maxCachedCount: number;
}

const PURPOSE = 'mcp-session';
/** Some proxies limit a header to 4 or 8 KiB; what would be longer stands in the store, and so do many upstreams. */
const MAX_TOKEN_CHARACTERS = 3 * 1024;
const MAX_SEALED_UPSTREAMS = 16;
const MAX_STORED_CHARACTERS = 256 * 1024;
/** How long another instance may go on serving a session that was ended here, where the store does not tell of it. */
const RECHECK_MS = 5_000;

/** Opens, resumes and ends sessions; an opened one is remembered, so that a warm call decrypts and reads nothing. */
export class LegacySessions {
  readonly #options: LegacySessionsOptions;
  readonly #records: SessionRecords<SessionContent>;
  /** By token, least recently used first. */
  readonly #cached = new Map<string, LegacySession>();
  #endedCount = 0;

  constructor(options: LegacySessionsOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.records, options.vault, options.clock);
    this.#records.watch((id) => {
      for (const session of this.#cached.values()) if (session.state.id === id) void this.#recheck(session);
    });
  }

  /**
   * Seals a new session; one with many upstreams is kept in the store.
   *
   * @throws GatewayError request_too_large for what no client says in an initialize, store_unavailable
   */
  async open(facts: Omit<SessionState, keyof RecordedSession>): Promise<LegacySession> {
    const { vault, clock, lifetimeMs } = this.#options;
    const state: SessionState = { ...facts, id: newId(), expiresAtMs: clock.nowMs() + lifetimeMs };
    const { initialize, upstreams, ...named } = state;
    if (Object.keys(upstreams).length <= MAX_SEALED_UPSTREAMS) {
      const token = await vault.sealToken({ ...state }, PURPOSE);
      if (token.length <= MAX_TOKEN_CHARACTERS) return this.#remember(this.#session(token, state, {}));
    }
    const opening = { initialize, upstreams };
    refuseTooLarge(opening);
    const token = await vault.sealToken(named, PURPOSE);
    const { content = {} } = await this.#records.change(state, () => ({ opening }));
    return this.#remember(this.#session(token, state, content));
  }

  /**
   * The session a token stands for; at once when it was seen before.
   *
   * @throws GatewayError session_not_found when it is unknown, expired, ended, another subject's or another server's;
   * the reasons are not told apart, so that a stolen id teaches nothing.
   */
  resume(token: string, subject: string, server: string): LegacySession | Promise<LegacySession> {
    const known = this.#recall(token);
    if (known) return this.#admit(known, subject, server);
    return this.#unseal(token).then((session) => this.#admit(session, subject, server));
  }

  /** Keeps what changed of a session where every instance finds it. @throws GatewayError store_unavailable */
  async amend(session: LegacySession, change: (content: SessionContent) => SessionContent): Promise<void> {
    const { content } = await this.#records.change(session.state, (known = {}) => change(known));
    if (content) session.content = content;
  }

  /**
   * Puts an upstream session in the place of one that was lost: the one another instance opened meanwhile, or what
   * `open` opens.
   *
   * @throws GatewayError session_not_found when it was ended meanwhile, store_unavailable, and what `open` throws
   */
  async renew(
    session: LegacySession,
    upstreamId: string,
    lost: UpstreamSession | undefined,
    open: () => Promise<UpstreamSession>,
  ): Promise<void> {
    if (await this.#hasEnded(session)) throw notFound();
    if (session.upstream(upstreamId)?.id !== lost?.id) return;
    const opened = await open();
    await this.amend(session, (content) => {
      const current = content.renewed?.[upstreamId] ?? session.state.upstreams[upstreamId];
      if (current?.id !== lost?.id) return content;
      return { ...content, renewed: { ...content.renewed, [upstreamId]: opened } };
    });
  }

  /** Ends a session: here at once, on other instances as soon as the store tells, or within seconds. @throws GatewayError store_unavailable */
  async revoke(session: LegacySession): Promise<void> {
    await this.#records.end(session.state);
    this.#forget(session);
  }

  #admit(session: LegacySession, subject: string, server: string): LegacySession {
    const { state } = session;
    if (state.subject !== subject || state.server !== server) throw notFound();
    if (state.expiresAtMs <= this.#options.clock.nowMs()) {
      this.#cached.delete(session.token);
      throw notFound();
    }
    if (this.#options.clock.monotonicMs() - session.checkedAtMs >= RECHECK_MS) void this.#recheck(session);
    return session;
  }

  /** Beside the call: while the store is gone, what is known of a session goes on to hold. */
  async #recheck(session: LegacySession): Promise<void> {
    try {
      await this.#hasEnded(session);
    } catch (error) {
      const { code, message } = toGatewayError(error);
      this.#options.events('task.failed', { task: 'session', message: `${code}: ${message}` });
    }
  }

  /** Asks the store, and takes over what another instance changed. @throws GatewayError store_unavailable */
  async #hasEnded(session: LegacySession): Promise<boolean> {
    session.checkedAtMs = this.#options.clock.monotonicMs();
    const before = session.content;
    const { ended = false, content } = (await this.#records.read(session.state)) ?? {};
    // what was written or read meanwhile may be newer
    if (!ended && session.content !== before) return this.#hasEnded(session);
    if (ended) this.#forget(session);
    else if (content) session.content = content;
    return ended;
  }

  #forget(session: LegacySession): void {
    this.#endedCount++;
    this.#cached.delete(session.token);
  }

  async #unseal(token: string): Promise<LegacySession> {
    const claims = await this.#claims(token);
    const endedBefore = this.#endedCount;
    const stored = await this.#records.read(claims);
    if (stored?.ended) throw notFound();
    // one that was ended while the store was asked must not come back into the cache
    if (this.#endedCount !== endedBefore) return this.#unseal(token);
    const content = stored?.content ?? {};
    const { initialize, upstreams } = { ...claims, ...content.opening };
    if (initialize === undefined || upstreams === undefined) throw notFound();
    return this.#remember(this.#session(token, { ...claims, initialize, upstreams }, content));
  }

  async #claims(token: string): Promise<SessionClaims> {
    try {
      // only this class seals tokens for this purpose, and sealing is authenticated
      return (await this.#options.vault.openToken(token, PURPOSE)) as unknown as SessionClaims;
    } catch (cause) {
      throw new GatewayError('session_not_found', SESSION_NOT_FOUND, { cause });
    }
  }

  #session(token: string, state: SessionState, content: SessionContent): LegacySession {
    return new LegacySession(token, state, content, this.#options.clock.monotonicMs());
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
    makeRoom(this.#cached, this.#options.maxCachedCount);
    this.#cached.set(session.token, session);
    return session;
  }
}

const SESSION_NOT_FOUND = 'the session is unknown, ended or belongs to another caller; initialize again';
const notFound = (): GatewayError => new GatewayError('session_not_found', SESSION_NOT_FOUND);

function refuseTooLarge(opening: OpeningState): void {
  const characters = JSON.stringify(opening).length;
  if (characters <= MAX_STORED_CHARACTERS) return;
  throw new GatewayError(
    'request_too_large',
    `expected an initialize of at most ${MAX_STORED_CHARACTERS} characters, met ${characters}`,
  );
}
