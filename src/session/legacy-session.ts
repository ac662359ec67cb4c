import type { RecordedSession } from './session-records.ts';

/** What a client said when it initialized; replayed when an upstream lost its session. */
export type InitializeParams = Readonly<Record<string, unknown>>;

/** What one upstream agreed to. */
export interface UpstreamSession {
  /** The upstream's session id, `''` where it keeps none. */
  readonly id: string;
  readonly protocolVersion: string;
}

/** What a session was opened with. */
export interface OpeningState {
  readonly initialize: InitializeParams;
  /** By upstream id; only upstreams that answered are here. */
  readonly upstreams: Readonly<Record<string, UpstreamSession>>;
}

export interface SessionState extends OpeningState, RecordedSession {
  readonly subject: string;
  /** Key of the virtual server the session belongs to. */
  readonly server: string;
}

/** What an id carries; without the opening state where that is too much for a header. */
export type SessionClaims = Omit<SessionState, keyof OpeningState> & Partial<OpeningState>;

/** What of a session changes, or stands in the store because no header could carry it. */
export interface SessionContent {
  readonly opening?: OpeningState;
  /** Upstream sessions that took the place of lost ones, by upstream id. */
  readonly renewed?: Readonly<Record<string, UpstreamSession>>;
  /** The last level of logging/setLevel. */
  readonly logLevel?: string;
  /** URIs of resources the caller subscribed to, by upstream id. */
  readonly subscriptions?: Readonly<Record<string, readonly string[]>>;
}

/** An open legacy session; what changes of it is read through here, so that every holder sees it. */
export class LegacySession {
  readonly token: string;
  readonly state: SessionState;
  /** What other instances may have changed, as last seen. */
  content: SessionContent;
  /** On the monotonic clock: when the store was last asked about this session. */
  checkedAtMs: number;

  constructor(token: string, state: SessionState, content: SessionContent, checkedAtMs: number) {
    this.token = token;
    this.state = state;
    this.content = content;
    this.checkedAtMs = checkedAtMs;
  }

  /** What the upstream agreed to; undefined when it takes no part in this session. */
  upstream(upstreamId: string): UpstreamSession | undefined {
    return this.content.renewed?.[upstreamId] ?? this.state.upstreams[upstreamId];
  }
}
