import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Lease } from '../base/leased-cache.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { Channel, ChannelResponse } from '../tls/dialer.ts';
import { isIdempotent } from '../wire/mcp.ts';
import { CallMeter } from './call-meter.ts';
import { openOutbound } from './credentials.ts';
import { gatewayErrorOf } from './deadline.ts';
import { LegacySse } from './legacy-sse.ts';
import { StreamableHttp } from './streamable-http.ts';
import { isEndless, type TransportRequest, type UpstreamRequest, type UpstreamTransport } from './transport.ts';
import type { UpstreamConfig } from './upstream-config.ts';

interface LinkDeps {
  readonly channels: ChannelCache;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** How events name an upstream. */
export type EventLabel = { readonly gateway: string; readonly insecureTls?: true };

/** Told how a request went, before its sender is. */
export interface CarryObserver {
  answered(status: number): void;
  failed(error: GatewayError): void;
}

const UNOBSERVED: CarryObserver = { answered: () => undefined, failed: () => undefined };

/** The way to one upstream: its channel, what speaks over it, and a count of what is under way. */
export class Link {
  readonly streamableHttp: UpstreamTransport;
  readonly sse: UpstreamTransport;
  readonly #config: UpstreamConfig;
  readonly #deps: LinkDeps;
  readonly #label: EventLabel;
  readonly #lifetime = new AbortController();
  #lease: Lease<Channel> | undefined;
  #opening: Promise<Lease<Channel>> | undefined;
  #closing: Promise<void> | undefined;
  #active = 0;
  #onIdle: (() => void) | undefined;

  /** @throws GatewayError config_invalid for credentials no header can carry */
  constructor(config: UpstreamConfig, deps: LinkDeps, label: EventLabel) {
    this.#config = config;
    this.#deps = deps;
    this.#label = label;
    const outbound = openOutbound(config);
    const channel = () => {
      const held = this.#lease?.value;
      return held === undefined || held.closed ? this.#open() : held;
    };
    this.streamableHttp = new StreamableHttp(channel, outbound);
    this.sse = new LegacySse(channel, outbound, config.url, deps.clock);
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
    const meter = new CallMeter(this.#deps.clock, (outcome, durationMs) => {
      this.#deps.events('call.finished', { ...this.#label, method: mcpMethod, outcome, durationMs });
      if (--this.#active === 0) this.#onIdle?.();
    });
    this.#active++;
    const signal = isEndless(mcpMethod) ? this.#endedWith(request.signal) : request.signal;
    const outgoing = { ...request, signal, onEnd: meter.onEnd };
    for (let repeats = 0; ; repeats++) {
      try {
        const response = await transport.send(outgoing);
        meter.answered(response.status);
        observer.answered(response.status);
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
    this.sse.close();
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

  #endedWith(signal: CancelSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([abortSignalOf(signal), this.#lifetime.signal]) : this.#lifetime.signal;
  }

  /** The lease is held from the first request to the end, so that no idle bound of the cache takes the channel. */
  async #open(): Promise<Channel> {
    this.#opening ??= this.#take();
    try {
      return (await this.#opening).value;
    } finally {
      this.#opening = undefined;
    }
  }

  async #take(): Promise<Lease<Channel>> {
    this.#lease?.release();
    this.#lease = await this.#deps.channels.lease(this.#config.profile, this.#config.url.origin);
    return this.#lease;
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
