import { abortOf, abortSignalOf } from '../../base/cancel-signal.ts';
import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { toGatewayError } from '../../base/errors.ts';
import type { Fields } from '../../base/fields.ts';
import { within } from '../../base/pause.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { EventQueue } from '../../upstream/event-queue.ts';
import { answerOfNobody } from '../../upstream/answer-of-nobody.ts';
import { ask, discard, legacyRequest } from '../../upstream/own-request.ts';
import type { UpstreamRequest } from '../../upstream/transport.ts';
import { LAST_EVENT_ID } from '../../wire/headers.ts';
import { isNotification, isRequest, messageIn } from '../../wire/json-rpc.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { listingsChangedBy } from '../../wire/mcp.ts';
import { isEventStream } from '../../wire/media-types.ts';
import type { Caller } from './leg.ts';
import type { Loan, UpstreamSessions } from './upstream-sessions.ts';
import { acknowledgement, listenedNotification, missedNotifications, subscriptionOf } from './subscription.ts';
import type { Subscription } from './subscription.ts';
import { resumedEvents } from './resumed-events.ts';

export interface ListenOptions {
  readonly sessions: UpstreamSessions;
  readonly clock: Clock;
  /** May be asked nothing: nobody reads questions on this stream. */
  readonly caller: Caller;
  readonly request: JsonRpcRequest;
  /** What the server said it can do when it was initialized. */
  readonly capabilities: Fields;
  /** Aborts when the listener leaves. */
  readonly signal: CancelSignal;
  /** Told the notifications by which the server says that a listing of its changed. */
  readonly onListChanged: (method: string) => void;
}

const SUBSCRIBE_MS = 10_000;
/** How long a server gets to refuse the stream; some send its headers only with its first event. */
const REFUSAL_WAIT_MS = 300;

/**
 * subscriptions/listen at a legacy server: a session of its own, whose stream and subscriptions tell what the listener
 * wants to hear. Looks like the answer of a modern server; ends when the server ends its stream for good.
 */
export function listenLegacy(options: ListenOptions): ChannelResponse {
  const left = new AbortController();
  const signal = AbortSignal.any([abortSignalOf(options.signal), left.signal]);
  const queue = new EventQueue(() => left.abort(), undefined);
  void new Listening(options, queue, signal).run();
  return queue.response({});
}

class Listening {
  readonly #options: ListenOptions;
  readonly #queue: EventQueue;
  readonly #signal: AbortSignal;
  #granted: Subscription = { lists: [], uris: [] };

  constructor(options: ListenOptions, queue: EventQueue, signal: AbortSignal) {
    this.#options = options;
    this.#queue = queue;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { request, capabilities } = this.#options;
    try {
      const wanted = subscriptionOf(request.params, capabilities);
      if (wanted.lists.length + wanted.uris.length > 0) await this.#watch(wanted);
      else await this.#acknowledgeAndWait();
      this.#queue.end();
    } catch (error) {
      if (this.#signal.aborted) this.#queue.end();
      else this.#queue.fail(toGatewayError(error));
    }
  }

  async #watch(wanted: Subscription): Promise<void> {
    const { sessions, caller } = this.#options;
    const loan = await sessions.open(caller, this.#signal);
    try {
      this.#granted = { lists: wanted.lists, uris: await this.#subscribe(loan, wanted.uris) };
      const opening = loan.leg.open(caller, {}, this.#signal);
      if (await this.#isRefusedSoon(opening)) this.#granted = { lists: [], uris: [] };
      this.#push(acknowledgement(this.#granted, this.#options.request.id));
      const response = await opening;
      if (isEventStream(response)) await this.#relay(loan, response);
      else await discard(response);
    } finally {
      await this.#leave(loan);
    }
  }

  /** A server that can tell nothing of all this is as good as one in which nothing happens. */
  async #acknowledgeAndWait(): Promise<void> {
    this.#push(acknowledgement(this.#granted, this.#options.request.id));
    await abortOf(this.#signal);
  }

  async #relay({ leg }: Loan, response: ChannelResponse): Promise<void> {
    const { clock, caller, request } = this.#options;
    const events = resumedEvents(response, {
      clock,
      signal: this.#signal,
      isDone: () => this.#signal.aborted,
      reopen: async (lastEventId) => {
        const opened = await leg.open(
          caller,
          lastEventId === undefined ? {} : { [LAST_EVENT_ID]: lastEventId },
          this.#signal,
        );
        // without ids nobody knows what was said meanwhile
        if (lastEventId === undefined && isEventStream(opened))
          for (const missed of missedNotifications(this.#granted, request.id)) this.#push(missed);
        return opened;
      },
      reopensWithoutId: true,
    });
    for await (const { data } of events) if (data) this.#take(data, leg);
  }

  #take(data: string, leg: Loan['leg']): void {
    const { caller, request, onListChanged } = this.#options;
    const message = messageIn(data);
    if (message === undefined) return;
    if (isRequest(message)) return void leg.tell(caller, answerOfNobody(message), 'response');
    if (!isNotification(message)) return;
    if (listingsChangedBy(message.method).length > 0) onListChanged(message.method);
    const heard = listenedNotification(message, this.#granted, request.id);
    if (heard) this.#push(heard);
  }

  /** The URIs of `wanted` the server lets us subscribe to. */
  async #subscribe({ leg }: Loan, wanted: readonly string[]): Promise<readonly string[]> {
    const { clock, caller } = this.#options;
    const send = (request: UpstreamRequest) => leg.upstream.send(caller.grant, request);
    const headers = { ...caller.passed, ...leg.headers };
    return withDeadline(clock, SUBSCRIBE_MS, this.#signal, async (ends) => {
      const taken: string[] = [];
      for (const uri of wanted) {
        const { message } = await ask(send, legacyRequest(leg.nextId(), 'resources/subscribe', { uri }, headers), ends);
        if (message && 'result' in message) taken.push(uri);
      }
      return taken;
    });
  }

  /** Some servers let no client end a session, so the subscriptions are taken back first. */
  async #leave(loan: Loan): Promise<void> {
    const { caller } = this.#options;
    const { leg } = loan;
    const method = 'resources/unsubscribe';
    await Promise.all(
      this.#granted.uris.map((uri) =>
        leg.tell(caller, { jsonrpc: '2.0', id: leg.nextId(), method, params: { uri } }, method),
      ),
    );
    loan.giveBack(false);
  }

  async #isRefusedSoon(opening: Promise<ChannelResponse>): Promise<boolean> {
    const isRefused = opening.then(
      (response) => !isEventStream(response),
      () => true,
    );
    return (await within(this.#options.clock, REFUSAL_WAIT_MS, isRefused)) ?? false;
  }

  #push(message: Fields): void {
    this.#queue.push(JSON.stringify(message));
  }
}
