import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Lease } from '../base/leased-cache.ts';
import type { ProcessSpawner } from '../platform.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { Channel, ChannelResponse } from '../tls/dialer.ts';
import { isIdempotent } from '../wire/mcp.ts';
import { CallMeter } from './call-meter.ts';
import { openOutbound } from './credentials.ts';
import { gatewayErrorOf } from './deadline.ts';
import { LegacySse } from './legacy-sse.ts';
import { discard } from './own-request.ts';
import type { Send } from './own-request.ts';
import { Stdio } from './stdio.ts';
import { StreamableHttp } from './streamable-http.ts';
import { cancellationOf, limitTime } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';
import { isEndless } from './transport.ts';
import type { TransportKind, TransportRequest, UpstreamRequest, UpstreamTransport } from './transport.ts';
import type { EventLabel, HttpTarget, StdioTarget, TransportChoice, UpstreamConfig } from './upstream-config.ts';

/** What starting programs takes. */
export interface StdioDeps {
  readonly spawner: ProcessSpawner;
  /** How many processes the sessions of callers may have at one upstream. */
  readonly maxSessions: number;
}

interface LinkDeps {
  readonly channels: ChannelCache;
  readonly clock: Clock;
  readonly events: EventSink;
  /** How this gateway names itself to those behind it. */
  readonly viaName: string;
  /** Undefined where no programs can be started. */
  readonly stdio?: StdioDeps | undefined;
}

/** What speaks to an upstream: a server behind a URL in the way that was chosen or one of two, a program in one. */
export type Ways<Way> =
  | { readonly kind: 'http'; readonly choice: TransportChoice; readonly streamableHttp: Way; readonly sse: Way }
  | { readonly kind: 'stdio'; readonly stdio: Way };

/** Told how a request went, before its sender is. */
export interface CarryObserver {
  answered(response: Pick<ChannelResponse, 'status' | 'headers'>, mcpMethod: string): void;
  failed(error: GatewayError): void;
}

const UNOBSERVED: CarryObserver = { answered: () => undefined, failed: () => undefined };

/** The way to one upstream: its channel, what speaks over it, and a count of what is under way. */
export class Link {
  readonly #ways: Ways<UpstreamTransport>;
  readonly #config: UpstreamConfig;
  readonly #deps: LinkDeps;
  readonly #label: EventLabel;
  readonly #lifetime = new AbortController();
  #lease: Lease<Channel> | undefined;
  #opening: Promise<Lease<Channel>> | undefined;
  #closing: Promise<void> | undefined;
  #active = 0;
  #onIdle: (() => void) | undefined;

  /** @throws GatewayError config_invalid for credentials no header can carry, capability_unsupported for a program */
  constructor(config: UpstreamConfig, deps: LinkDeps, label: EventLabel) {
    this.#config = config;
    this.#deps = deps;
    this.#label = label;
    const { target } = config;
    this.#ways = target.kind === 'http' ? this.#httpWays(target) : this.#stdioWays(target);
  }

  /** The transport of a kind an upstream was found to speak; a program's own, whatever was found before. */
  transport(kind: TransportKind): UpstreamTransport {
    if (this.#ways.kind === 'stdio') return this.#ways.stdio;
    return kind === 'sse' ? this.#ways.sse : this.#ways.streamableHttp;
  }

  /** The one transport there is to speak; undefined where that is to be found out. */
  get chosen(): UpstreamTransport | undefined {
    if (this.#ways.kind === 'stdio') return this.#ways.stdio;
    return this.#ways.choice === 'auto' ? undefined : this.transport(this.#ways.choice);
  }

  /** The transport that is tried first. */
  get first(): UpstreamTransport {
    return this.chosen ?? this.transport('streamable-http');
  }

  /** Aborts when the link is closed. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /**
   * Sends a request and reports how it went. One that only reads is sent again when its connection was lost.
   *
   * @throws GatewayError dial codes, upstream_timeout, call_cancelled, channel_closed
   */
  async carry(
    transport: UpstreamTransport,
    request: UpstreamRequest,
    observer: CarryObserver = UNOBSERVED,
  ): Promise<ChannelResponse> {
    if (this.#lifetime.signal.aborted) throw closedError();
    const { mcpMethod } = request;
    const limit = this.#limitOf(transport, request);
    const meter = new CallMeter(this.#deps.clock, (outcome, durationMs) => {
      limit?.end();
      this.#deps.events('call.finished', { ...this.#label, method: mcpMethod, outcome, durationMs });
      if (--this.#active === 0) this.#onIdle?.();
    });
    this.#active++;
    const signal = limit?.signal ?? (isEndless(mcpMethod) ? this.#endedWith(request.signal) : request.signal);
    const outgoing = { ...request, signal, onEnd: meter.onEnd };
    for (let repeats = 0; ; repeats++) {
      try {
        const response = await transport.send(outgoing);
        meter.answered(response.status);
        observer.answered(response, mcpMethod);
        return response;
      } catch (thrown) {
        if (repeats === 0 && mayRepeat(thrown, outgoing)) continue;
        const error = gatewayErrorOf(thrown, signal);
        meter.failed(error.code);
        observer.failed(error);
        throw error;
      }
    }
  }

  /**
   * Waits up to `drainMs` for what is under way, ends the rest, and gives the channel back. Idempotent.
   *
   * @param farewell what is still to be said before everything ends; must not throw
   */
  close(drainMs: number, farewell: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(drainMs, farewell);
    return this.#closing;
  }

  async #close(drainMs: number, farewell: () => Promise<void>): Promise<void> {
    await this.#idle(drainMs);
    await farewell();
    this.#lifetime.abort(closedError());
    await Promise.all(this.#transports().map((transport) => transport.close()));
    await this.#opening?.catch(() => undefined);
    this.#lease?.release();
  }

  #idle(drainMs: number): Promise<void> {
    if (this.#active === 0 || drainMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(drainMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
  }

  /** The time a request has, where this upstream was given a limit and the request is no endless stream. */
  #limitOf(transport: UpstreamTransport, request: UpstreamRequest): TimeLimit | undefined {
    const { requestTimeoutMs } = this.#config;
    if (requestTimeoutMs === undefined || isEndless(request.mcpMethod)) return undefined;
    return limitTime(this.#deps.clock, requestTimeoutMs, request.signal, () => {
      const cancellation = cancellationOf(request);
      // the call is over whether or not the server hears of it
      if (cancellation)
        void this.carry(transport, cancellation)
          .then(discard)
          .catch(() => undefined);
    });
  }

  #endedWith(signal: CancelSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([abortSignalOf(signal), this.#lifetime.signal]) : this.#lifetime.signal;
  }

  /** Each way as a sender of the gateway's own requests. */
  get senders(): Ways<Send> {
    const via =
      (transport: UpstreamTransport): Send =>
      (request) =>
        this.carry(transport, request);
    const ways = this.#ways;
    if (ways.kind === 'stdio') return { kind: 'stdio', stdio: via(ways.stdio) };
    return { ...ways, streamableHttp: via(ways.streamableHttp), sse: via(ways.sse) };
  }

  #httpWays(target: HttpTarget): Ways<UpstreamTransport> {
    const outbound = openOutbound(target, this.#deps.viaName);
    const { origin } = target.url;
    const channel = () => {
      const held = this.#lease?.value;
      return held === undefined || held.closed ? this.#open(origin) : held;
    };
    return {
      kind: 'http',
      choice: target.transport,
      streamableHttp: new StreamableHttp(channel, outbound),
      sse: new LegacySse(channel, outbound, target.url, this.#deps.clock),
    };
  }

  #stdioWays(target: StdioTarget): Ways<UpstreamTransport> {
    const { stdio, clock, events } = this.#deps;
    if (stdio === undefined) throw noPrograms();
    return { kind: 'stdio', stdio: new Stdio({ ...stdio, target, clock, events, label: this.#label }) };
  }

  #transports(): readonly UpstreamTransport[] {
    return this.#ways.kind === 'stdio' ? [this.#ways.stdio] : [this.#ways.streamableHttp, this.#ways.sse];
  }

  /** The lease is held from the first request to the end, so that no idle bound of the cache takes the channel. */
  async #open(origin: string): Promise<Channel> {
    this.#opening ??= this.#take(origin);
    try {
      return (await this.#opening).value;
    } finally {
      this.#opening = undefined;
    }
  }

  async #take(origin: string): Promise<Lease<Channel>> {
    this.#lease?.release();
    this.#lease = await this.#deps.channels.lease(this.#config.profile, origin);
    return this.#lease;
  }
}

/** Whether a request that found its connection lost may go out again: it reads, and its caller still waits. */
function mayRepeat(error: unknown, { mcpMethod, signal }: TransportRequest): boolean {
  return (
    error instanceof GatewayError && error.code === 'connection_lost' && isIdempotent(mcpMethod) && !signal?.aborted
  );
}

/** The refusal of a program on a runtime that starts none. */
export function noPrograms(): GatewayError {
  return new GatewayError('capability_unsupported', 'this runtime cannot start programs, as transport STDIO asks', {
    hint: 'run Postern on Node, or put the server behind a URL',
    details: { capability: 'processes' },
  });
}

function closedError(): GatewayError {
  return new GatewayError('channel_closed', 'this upstream was replaced or removed while the request was on its way');
}
