import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { isIdempotent } from '../wire/mcp.ts';
import { CallMeter } from './call-meter.ts';
import { gatewayErrorOf } from './deadline.ts';
import { HeldChannel } from './held-channel.ts';
import { discard } from './own-request.ts';
import type { Send } from './own-request.ts';
import { cancellationOf, limitTime } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';
import { isEndless } from './transport.ts';
import type { TransportKind, TransportRequest, UpstreamRequest, UpstreamTransport } from './transport.ts';
import type { EventLabel, UpstreamConfig } from './upstream-config.ts';
import { mappedWays, wayOf, waysToProgram, waysToUrl } from './ways.ts';
import type { Ways, WaysDeps } from './ways.ts';

interface LinkDeps extends WaysDeps {
  readonly channels: ChannelCache;
}

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
  #closing: Promise<void> | undefined;
  #active = 0;
  #onIdle: (() => void) | undefined;

  /** @throws GatewayError config_invalid for credentials no header can carry, capability_unsupported for a program */
  constructor(config: UpstreamConfig, deps: LinkDeps, label: EventLabel) {
    this.#config = config;
    this.#deps = deps;
    this.#label = label;
    const { target, profile } = config;
    if (target.kind === 'stdio') {
      this.#ways = waysToProgram(target, deps, label);
      return;
    }
    const channel = new HeldChannel(deps.channels, profile, target.url.origin);
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
    const ways = this.#ways;
    const transports = ways.kind === 'stdio' ? [ways.stdio] : [ways.streamableHttp, ways.sse];
    await Promise.all(transports.map((transport) => transport.close()));
    await this.#channel?.release();
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
