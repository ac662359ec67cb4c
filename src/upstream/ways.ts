import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { ProcessSpawner } from '../platform.ts';
import { openOutbound } from './credentials.ts';
import { LegacySse } from './legacy-sse/legacy-sse.ts';
import { Stdio } from './stdio/stdio.ts';
import { StreamableHttp } from './streamable-http.ts';
import type { ChannelSource } from './streamable-http.ts';
import type { TransportKind, UpstreamTransport } from './transport.ts';
import type { EventLabel, HttpTarget, StdioTarget, TransportChoice } from './upstream-config.ts';

/** What speaks to an upstream: a server behind a URL in the way that was chosen or one of two, a program in one. */
export type Ways<Way> =
  | { readonly kind: 'http'; readonly choice: TransportChoice; readonly streamableHttp: Way; readonly sse: Way }
  | { readonly kind: 'stdio'; readonly stdio: Way };

/** What starting programs takes. */
export interface StdioDeps {
  readonly spawner: ProcessSpawner;
  /** How many processes the sessions of callers may have at one upstream. */
  readonly maxSessions: number;
}

export interface WaysDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  /** How this gateway names itself to those behind it. */
  readonly viaName: string;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
}

/** The ways to a server behind a URL. @throws GatewayError config_invalid for credentials no header can carry */
export function waysToUrl(target: HttpTarget, channel: ChannelSource, deps: WaysDeps): Ways<UpstreamTransport> {
  const outbound = openOutbound(target, deps.viaName);
  return {
    kind: 'http',
    choice: target.transport,
    streamableHttp: new StreamableHttp(channel, outbound),
    sse: new LegacySse(channel, outbound, target.url, deps.clock),
  };
}

/** The way to a program. @throws GatewayError capability_unsupported where none can be started */
export function waysToProgram(
  target: StdioTarget,
  { stdio, clock, events }: WaysDeps,
  label: EventLabel,
): Ways<UpstreamTransport> {
  if (stdio === undefined) throw noPrograms();
  return { kind: 'stdio', stdio: new Stdio({ ...stdio, target, clock, events, label }) };
}

/** The way of a kind an upstream was found to speak; a program's own, whatever was found before. */
export function wayOf<Way>(ways: Ways<Way>, kind: TransportKind): Way {
  if (ways.kind === 'stdio') return ways.stdio;
  return kind === 'sse' ? ways.sse : ways.streamableHttp;
}

/** The same ways in another form. */
export function mappedWays<Way, Other>(ways: Ways<Way>, form: (way: Way) => Other): Ways<Other> {
  if (ways.kind === 'stdio') return { kind: 'stdio', stdio: form(ways.stdio) };
  return { ...ways, streamableHttp: form(ways.streamableHttp), sse: form(ways.sse) };
}

/** The refusal of a program on a runtime that starts none. */
export function noPrograms(): GatewayError {
  return new GatewayError('capability_unsupported', 'this runtime cannot start programs, as transport STDIO asks', {
    hint: 'run Postern on Node, or put the server behind a URL',
    details: { capability: 'processes' },
  });
}
