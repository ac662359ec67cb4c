import { GatewayError } from '../../../src/index.ts';
import type {
  Channel,
  ChannelRequest,
  ChannelResponse,
  CutCount,
  PeerChain,
  ProfileFingerprint,
} from '../../../src/index.ts';
import { FetchExchange } from './fetch-exchange.ts';
import type { WayOut } from './fetch-exchange.ts';

export interface FetchChannelOptions extends WayOut {
  readonly fingerprint: ProfileFingerprint | undefined;
  /** Called once, when nothing runs any more; `late` requests did not finish in a drain. */
  readonly onClosed: (late: number) => void;
}

/** A Channel over fetch. Connections are the platform's: what we have of them are the requests that run. */
export class FetchChannel implements Channel {
  readonly origin: string;
  readonly fingerprint: ProfileFingerprint | undefined;
  readonly #options: FetchChannelOptions;
  readonly #running = new Set<FetchExchange>();
  #closed = false;
  #gone = false;
  #idle: (() => void) | undefined;

  constructor(options: FetchChannelOptions) {
    this.origin = options.origin;
    this.fingerprint = options.fingerprint;
    this.#options = options;
  }

  get active(): number {
    return this.#running.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(request: ChannelRequest): Promise<ChannelResponse> {
    if (this.#closed) {
      return Promise.reject(new GatewayError('channel_closed', 'the channel takes no new requests'));
    }
    if (request.signal?.aborted) return Promise.reject(request.signal.reason);
    const exchange = new FetchExchange(request, this.#options, () => {
      this.#running.delete(exchange);
      if (this.#running.size === 0) this.#idle?.();
    });
    this.#running.add(exchange);
    return exchange.send();
  }

  /** The platform opens connections as it likes. */
  warm(): Promise<void> {
    return Promise.resolve();
  }

  peers(): readonly PeerChain[] {
    return [];
  }

  /** Of unseen peers none can be spared. */
  cut(_: readonly PeerChain[], error: GatewayError): CutCount {
    const requests = this.#fail(error);
    return { connections: requests, requests };
  }

  end(group: object, error: GatewayError): number {
    const ended = [...this.#running].filter((exchange) => exchange.group === group);
    for (const exchange of ended) exchange.fail(error);
    return ended.length;
  }

  async drain(deadlineMs: number): Promise<number> {
    this.#closed = true;
    if (this.#running.size > 0) await this.#untilIdle(deadlineMs);
    const late = this.#fail(new GatewayError('drain_timeout', 'the channel was closed and its time to finish is over'));
    this.#letGo(late);
    return late;
  }

  destroy(error: GatewayError): CutCount {
    this.#closed = true;
    const requests = this.#fail(error);
    this.#letGo(0);
    return { connections: requests, requests };
  }

  /** Ends what runs; how much that was. */
  #fail(error: GatewayError): number {
    const running = [...this.#running];
    for (const exchange of running) exchange.fail(error);
    return running.length;
  }

  #letGo(late: number): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#options.onClosed(late);
  }

  #untilIdle(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = Number.isFinite(deadlineMs) ? this.#options.clock.after(deadlineMs, resolve) : undefined;
      const others = this.#idle;
      this.#idle = () => {
        cancel?.();
        others?.();
        resolve();
      };
    });
  }
}
