/**
 * upstream: speaking MCP to one server behind us.
 *
 * Owns transports, eras, listings, the shared session, health and the breaker of one upstream. Must not know records,
 * callers' sessions, prefixes or what an answer looks like to the caller.
 */
import type { Secret } from '../base/secret.ts';
import type { TlsProfile } from '../tls/profile.ts';

/** How an upstream is spoken to: `auto` finds out, Streamable HTTP first. */
export type TransportChoice = 'auto' | 'streamable-http' | 'sse';

/** Everything that decides how one upstream is reached; immutable, a change makes a new Upstream. */
export interface UpstreamConfig {
  /** Stable over renames. */
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly url: URL;
  readonly transport: TransportChoice;
  /** Undefined for `http:` addresses. */
  readonly profile: TlsProfile | undefined;
  readonly credentials: Credentials;
  /** Lower-case names of caller headers that go upstream; Authorization and cookies never do, even when listed. */
  readonly passthroughHeaders: readonly string[];
  /** True when certificate or host name checks are switched off; named in every event. */
  readonly insecureTls: boolean;
}

/** What we show this upstream with every request. Header names are lower case. */
export interface Credentials {
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
}
