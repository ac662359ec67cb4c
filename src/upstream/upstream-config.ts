/**
 * upstream: speaking MCP to one server behind us.
 *
 * Owns transports, eras, listings, the shared session, health and the breaker of one upstream. Must not know records,
 * callers' sessions, prefixes or what an answer looks like to the caller.
 */
import type { Secret } from '../base/secret.ts';
import type { TlsProfile } from '../tls/profile.ts';
import type { Era } from '../wire/eras.ts';

/** How a server behind a URL is spoken to: `auto` finds out, Streamable HTTP first. */
export type TransportChoice = 'auto' | 'streamable-http' | 'sse';

/** Which eras an upstream is spoken to in: `auto` finds out, again at every connect. */
export type ProtocolEra = 'auto' | Era;

/** A server behind a URL. */
export interface HttpTarget {
  readonly kind: 'http';
  readonly url: URL;
  readonly transport: TransportChoice;
  readonly credentials: Credentials;
}

/** A program that is started here and spoken to over its standard streams. */
export interface StdioTarget {
  readonly kind: 'stdio';
  /** An absolute path, or a name the platform looks up. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, Secret>>;
  /** Absolute; undefined for the gateway's own. */
  readonly cwd: string | undefined;
}

/** Everything that decides how one upstream is reached; immutable, a change makes a new Upstream. */
export interface UpstreamConfig {
  /** Stable over renames. */
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly target: HttpTarget | StdioTarget;
  /** `modern` never initializes, `legacy` never discovers. */
  readonly protocolEra: ProtocolEra;
  /** Milliseconds until the answer to a request has to be complete; undefined where only its beginning is waited for. */
  readonly requestTimeoutMs: number | undefined;
  /** Undefined where no TLS is spoken: for `http:` addresses and programs. */
  readonly profile: TlsProfile | undefined;
  /** Lower-case names of caller headers that go upstream; Authorization and cookies never do, even when listed. */
  readonly passthroughHeaders: readonly string[];
  /** True when certificate or host name checks are switched off; named in every event. */
  readonly insecureTls: boolean;
}

/** How events name an upstream. */
export type EventLabel = { readonly gateway: string; readonly insecureTls?: true };

/** What we show this upstream with every request. Header names are lower case. */
export interface Credentials {
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
}

/** Where an upstream is, in words for people: the origin of its URL with its host, or the command. */
export function placeOf(target: HttpTarget | StdioTarget): { readonly origin: string; readonly host: string } {
  if (target.kind === 'stdio') return { origin: target.command, host: '' };
  return { origin: target.url.origin, host: target.url.hostname };
}
