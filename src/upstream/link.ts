import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { ChannelResponse, CutCount } from '../tls/dialer.ts';
import type { TlsProfile } from '../tls/profile.ts';
import { isIdempotent } from '../wire/mcp.ts';
import { CallMeter } from './call-meter.ts';
import { gatewayErrorOf } from './deadline.ts';
import { HeldChannel } from './held-channel.ts';
import type { WithdrawalCut } from './held-channel.ts';
import { discard } from './own-request.ts';
import type { Send } from './own-request.ts';
import { cancellationOf, limitTime } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';
import { isEndless } from './transport.ts';
import type { TransportKind, TransportRequest, UpstreamRequest, UpstreamTransport } from './transport.ts';
import { Underway } from './underway.ts';
import type { EventLabel, UpstreamConfig } from './upstream-config.ts';
import { mappedWays, wayOf, waysToProgram, waysToUrl } from './ways.ts';
import type { Ways, WaysDeps } from './ways.ts';

interface LinkDeps extends WaysDeps {
  readonly channels: ChannelCache;
}

/** A channel may be replaced again while a slow server shakes hands over the one before; so often in a row it is not. */
const MAX_UNSENT = 16;

/** Told how a request went, before its sender is. */
export interface CarryObserver {
  answered(response: Pick<ChannelResponse, 'status' | 'headers'>, mcpMethod: string): void;
  failed(error: GatewayError): void;
}

const UNOBSERVED: CarryObserver = { answered: () => undefined, failed: () => undefined };

/** The way to one upstream: its channel, what speaks over it, and a count of what is under way. */
export class Link {
  readonly #ways: Ways<UpstreamTransport>;
  readonly #channel: HeldChannel | undefined;
  readonly #config: UpstreamConfig;
  readonly #deps: LinkDeps;
  readonly #label: EventLabel;
  readonly #lifetime = new AbortController();
  readonly #underway: Underway;
  /** Resolves when the time of what is under way is over, or nothing is. */
  readonly #due = Promise.withResolvers<void>();
  readonly #farewells: (() => Promise<void>)[] = [];
  #closing: Promise<number> | undefined;
  #isOver = false;

  /** @throws GatewayError config_invalid for credentials no header can carry, capability_unsupported for a program */
  constructor(config: UpstreamConfig, deps: LinkDeps, label: EventLabel) {
    this.#config = config;
    this.#deps = deps;
    this.#label = label;
    this.#underway = new Underway(deps.clock);
    const { target, profile } = config;
    if (target.kind === 'stdio') {
      this.#ways = waysToProgram(target, deps, label);
      return;
    }
    const channel = new HeldChannel(deps.channels, profile, target.url.origin, config.id);
    this.#channel = channel;
    this.#ways = waysToUrl(target, () => channel.get(), deps);
  }

  /** The transport of a kind an upstream was found to speak; a program's own, whatever was found before. */
  transport(kind: TransportKind): UpstreamTransport {
    return wayOf(this.#ways, kind);
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
   * Sends a request and reports how it went. One that only reads is sent again when its connection was lost, and any
   * whose channel was replaced before it had a connection.
   *
   * @throws GatewayError dial codes, upstream_timeout, call_cancelled, channel_closed
   */
  async carry(
    transport: UpstreamTransport,
    request: UpstreamRequest,
    observer: CarryObserver = UNOBSERVED,
  ): Promise<ChannelResponse> {
    // a session may be ended to the last, and nobody waits for it
    const endsSession = request.method === 'DELETE';
    if (this.signal.aborted || (this.#isOver && !endsSession)) throw closedError();
    const { mcpMethod } = request;
    const limit = this.#limitOf(transport, request);
    const meter = new CallMeter(this.#deps.clock, (outcome, durationMs) => {
      limit?.end();
      this.#deps.events('call.finished', { ...this.#label, method: mcpMethod, outcome, durationMs });
      if (!endsSession) this.#underway.end();
    });
    if (!endsSession) this.#underway.begin();
    const signal = limit?.signal ?? (isEndless(mcpMethod) ? this.#endedWith(request.signal) : request.signal);
    const outgoing = { ...request, signal, onEnd: meter.onEnd, ...(!endsSession && { group: this }) };
    for (let repeats = 0; ; repeats++) {
      try {
        const response = await transport.send(outgoing);
        meter.answered(response.status);
        observer.answered(response, mcpMethod);
        return response;
      } catch (thrown) {
        if (repeats < MAX_UNSENT && this.#wasUnsent(thrown)) continue;
        if (repeats === 0 && mayRepeat(thrown, outgoing)) continue;
        const error = gatewayErrorOf(thrown, signal);
        meter.failed(error.code);
        observer.failed(error);
        throw error;
      }
    }
  }

  /** Has something said before everything ends; `farewell` must not throw. */
  beforeClose(farewell: () => Promise<void>): void {
    this.#farewells.push(farewell);
  }

  /** How many requests and streams are under way. */
  get active(): number {
    return this.#underway.count;
  }

  /** Whether it was closed, and what was under way has ended or its time has: nothing new is sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens connections ahead of requests, until there are `count`. A program has none. @throws GatewayError config codes */
  warm(count: number): Promise<void> {
    return this.#channel?.warm(count) ?? Promise.resolve();
  }

  /** Dials with `after` from here on, and cuts connections whose peer it does not accept; what was cut, by reason. */
  withdraw(after: TlsProfile): Promise<readonly WithdrawalCut[]> {
    return this.#channel?.withdraw(after, this.#deps.clock.nowMs()) ?? Promise.resolve([]);
  }

  /** Ends every connection now; new requests open new ones. A program has none. */
  cut(error: GatewayError): CutCount {
    return this.#channel?.cut(error) ?? { connections: 0, requests: 0 };
  }

  /**
   * Waits up to `drainMs` for what is under way, ends the rest, and gives the channel back. Closing again may make the
   * time shorter, never longer.
   *
   * @returns how many requests and streams did not end in time
   */
  close(drainMs: number): Promise<number> {
    void this.#underway.idle(drainMs).then(this.#due.resolve);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<number> {
    await this.#due.promise;
    this.#isOver = true;
    const late = this.#underway.count;
    // before the farewell: a server that ends its session ends calls without an answer
    if (late > 0) await this.#end(lateError());
    await Promise.all(this.#farewells.map((farewell) => farewell()));
    this.#lifetime.abort(closedError());
    await this.#end(closedError());
    await this.#channel?.release();
    return late;
  }

  async #end(reason: GatewayError): Promise<void> {
    this.#channel?.end(this, reason);
    const ways = this.#ways;
    const transports = ways.kind === 'stdio' ? [ways.stdio] : [ways.streamableHttp, ways.sse];
    await Promise.all(transports.map((transport) => transport.close(reason)));
  }

  /** The channel was replaced, not this upstream: there is another one to send over. */
  #wasUnsent(error: unknown): boolean {
    return error instanceof GatewayError && error.code === 'channel_closed' && !this.#isOver;
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
    return mappedWays(this.#ways, (transport) => (request) => this.carry(transport, request));
  }
}

/** Whether a request that found its connection lost may go out again: it reads, and its caller still waits. */
function mayRepeat(error: unknown, { mcpMethod, signal }: TransportRequest): boolean {
  return (
    error instanceof GatewayError && error.code === 'connection_lost' && isIdempotent(mcpMethod) && !signal?.aborted
  );
}

function closedError(): GatewayError {
  return new GatewayError('channel_closed', 'this upstream was replaced or removed while the request was on its way');
}

function lateError(): GatewayError {
  return new GatewayError('drain_timeout', 'the time to finish was over after this upstream was replaced or stopped', {
    hint: 'the request may have been carried out; POSTERN_ROTATION_DRAIN_TIMEOUT gives what is under way more time',
  });
}
