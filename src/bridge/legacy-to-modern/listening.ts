import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import type { LegacySession } from '../../session/legacy-session.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { EventQueue } from '../../upstream/event-queue.ts';
import { discard } from '../../upstream/own-request.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { META } from '../../wire/eras.ts';
import { isNotification, messageIn } from '../../wire/json-rpc.ts';
import type { JsonRpcNotification } from '../../wire/json-rpc.ts';
import { listingsChangedBy } from '../../wire/mcp.ts';
import { isEventStream } from '../../wire/media-types.ts';
import { sseEvents } from '../../wire/sse.ts';

/** The stream of one legacy caller on which one server of the modern era speaks unasked. */
export interface ListeningOptions {
  readonly clock: Clock;
  readonly upstream: Upstream;
  /** The session as it is now; rejects once it has ended. */
  readonly session: () => LegacySession | Promise<LegacySession>;
  /** Sends a subscriptions/listen with this filter. */
  readonly listen: (filter: Fields, signal: AbortSignal) => Promise<ChannelResponse>;
  /** Aborts when the caller left, or the gateway is about to stop. */
  readonly signal: AbortSignal;
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** Between two looks at what another instance changed of the session. */
const RECHECK_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Listens upstream for as long as the caller's stream is open: to changed lists, and to the resources the session is
 * subscribed to. A changed subscription opens the next stream before the last one ends, and a stream that breaks is
 * opened again; the caller's own goes on.
 *
 * @see MCP 2026-07-28, subscriptions
 */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #queue: EventQueue;
  #current: AbortController | undefined;
  #filter: string | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #stopClock = (): void => undefined;
  #stopRetry = (): void => undefined;

  /** @param onEnd called once when nothing more will be heard */
  constructor(options: ListeningOptions, onEnd: () => void) {
    this.#options = options;
    this.#queue = new EventQueue(() => {
      options.signal.removeEventListener('abort', this.end);
      this.#stopClock();
      this.#stopRetry();
      this.#current?.abort();
      this.#current = undefined;
      onEnd();
    }, undefined);
  }

  /** Begins; answers with the caller's stream. */
  start(): ChannelResponse {
    const { signal } = this.#options;
    signal.addEventListener('abort', this.end, { once: true });
    if (signal.aborted) this.end();
    else void this.#look();
    return this.#queue.response({});
  }

  /** Takes up what changed of the session. */
  changed(session: LegacySession): void {
    const filter = filterOf(this.#options.upstream, session);
    const text = filter && JSON.stringify(filter);
    if (text === this.#filter) return;
    this.#filter = text;
    this.#open(filter);
  }

  /** Ends the caller's stream. Idempotent. */
  readonly end = (): void => this.#queue.end();

  async #look(): Promise<void> {
    try {
      this.changed(await this.#options.session());
    } catch (error) {
      // while the store is gone the session goes on as it was last seen
      if (toGatewayError(error).code === 'session_not_found') return this.end();
    }
    if (!this.#options.signal.aborted) this.#stopClock = this.#options.clock.after(RECHECK_MS, () => void this.#look());
  }

  #open(filter: Fields | undefined): void {
    this.#stopRetry();
    const before = this.#current;
    this.#current = undefined;
    if (filter === undefined) return before?.abort();
    const current = (this.#current = new AbortController());
    void this.#follow(filter, current.signal, () => before?.abort()).then((isOver) => {
      before?.abort();
      if (this.#current !== current) return;
      if (isOver) return this.end();
      this.#stopRetry = this.#options.clock.after(this.#pauseMs, () => this.#open(filter));
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    });
  }

  #tell(message: JsonRpcNotification): void {
    const changed = listingsChangedBy(message.method);
    if (changed.length > 0) this.#options.upstream.listings.changed(changed);
    this.#queue.push(JSON.stringify(legacyNotification(message)));
  }

  /** Whether there is nothing to come back to: the upstream was replaced or removed. Never rejects. */
  async #follow(filter: Fields, signal: AbortSignal, onAcknowledged: () => void): Promise<boolean> {
    try {
      const response = await this.#options.listen(filter, signal);
      if (!isEventStream(response)) {
        await discard(response);
        return false;
      }
      for await (const { data } of sseEvents(response.stream())) {
        const message = data ? messageIn(data) : undefined;
        if (message === undefined || !isNotification(message)) continue;
        if (message.method === ACKNOWLEDGED) {
          this.#pauseMs = FIRST_PAUSE_MS;
          onAcknowledged();
        } else this.#tell(message);
      }
      return false;
    } catch (error) {
      return error instanceof GatewayError && OVER.has(error.code);
    }
  }
}

const OVER: ReadonlySet<GatewayError['code']> = new Set(['channel_closed', 'drain_timeout', 'identity_withdrawn']);

/** What to listen to; undefined where the upstream would have nothing to say. */
export function filterOf(
  { config, facts }: Pick<Upstream, 'config' | 'facts'>,
  session: LegacySession,
): Fields | undefined {
  const capabilities = facts?.modern?.capabilities ?? {};
  const tells = (name: string, what: string): boolean => asFields(capabilities[name])?.[what] === true;
  const subscribed = session.content.subscriptions?.[config.id] ?? [];
  const filter = {
    ...(tells('tools', 'listChanged') && { toolsListChanged: true }),
    ...(tells('prompts', 'listChanged') && { promptsListChanged: true }),
    ...(tells('resources', 'listChanged') && { resourcesListChanged: true }),
    ...(tells('resources', 'subscribe') && subscribed.length > 0 && { resourceSubscriptions: subscribed }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

/** A notification without the subscription it came under, which the caller never opened. */
export function legacyNotification(message: JsonRpcNotification): JsonRpcNotification {
  const { _meta, ...params } = message.params ?? {};
  const { [META.subscriptionId]: _, ...meta } = asFields(_meta) ?? {};
  if (Object.keys(meta).length > 0) return { ...message, params: { ...params, _meta: meta } };
  if (Object.keys(params).length > 0) return { ...message, params };
  return { jsonrpc: '2.0', method: message.method };
}
