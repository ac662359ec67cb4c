import { abortOf } from '../../../base/cancel-signal.ts';
import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { META } from '../../../wire/eras.ts';
import type { JsonRpcId, JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { sseEvents, sseMessage } from '../../../wire/sse.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { eventsAnswer } from '../answers.ts';
import { EventFunnel } from '../event-funnel.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { isHiddenNews, listensOf } from '../hidden-news.ts';
import { endWithRules, isToldByUs, tellModern } from '../lists/list-news.ts';
import { tellIfRefused } from '../route-of.ts';
import { sendBridged, sendModern, speaksModern } from './modern-legs.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** How long one slow upstream may hold back the merged acknowledgement. */
const ACKNOWLEDGE_WAIT_MS = 2_500;

/**
 * subscriptions/listen over all members: one merged acknowledgement, then every notification as it comes. Where nobody
 * has anything to tell the stream stays open all the same, until the caller leaves or the gateway stops.
 *
 * Upstreams get the caller's own request id, so the subscription id in their notifications is already right.
 * @see MCP 2026-07-28, subscriptions
 */
export function listen(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Response {
  const funnel = new EventFunnel(services);
  void follow(services, exchange, request, funnel);
  return eventsAnswer(funnel.stream);
}

async function follow(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  funnel: EventFunnel,
): Promise<void> {
  const { server } = exchange;
  const { members, transparent } = server;
  const subscription = new Subscription(funnel, request.id, members.length);
  if (transparent) endWithRules(services, exchange, funnel);
  else subscription.grant(tellModern(services, exchange, request, funnel, (data) => void subscription.pass(data)));
  const stopWaiting = services.clock.after(ACKNOWLEDGE_WAIT_MS, () => void subscription.acknowledge());
  const ownRequest = listensOf(server, request, (value) =>
    tellIfRefused(services, exchange, request.method, { by: 'uri', value }),
  );
  const sources = members.map(async (member) => {
    const part = subscription.part();
    try {
      const own = transparent ? request : ownRequest(member);
      const response = (await speaksModern(member, exchange))
        ? await sendModern(exchange, member, request.method, JSON.stringify(own), {}, funnel.stopped)
        : await sendBridged(services, exchange, member, own, funnel.stopped);
      for await (const data of messages(response))
        if (transparent || !(isHiddenNews(server, member, data) || isToldByUs(member.upstream, data)))
          await part.take(data);
    } finally {
      await part.close();
    }
  });
  await Promise.allSettled(sources);
  if (!subscription.hadParts) await abortOf(funnel.stopped);
  stopWaiting();
  await subscription.acknowledge();
  const result = { resultType: 'complete', _meta: { [META.subscriptionId]: request.id } };
  void funnel.write(sseMessage(JSON.stringify({ jsonrpc: '2.0', id: request.id, result })));
  funnel.end();
}

/** What one upstream contributes to a subscription. */
interface Part {
  take(data: string): Promise<void>;
  close(): Promise<void>;
}

/** One subscription of a caller, spread over several upstreams. */
class Subscription {
  readonly #funnel: EventFunnel;
  readonly #id: JsonRpcId;
  readonly #granted: Fields[] = [];
  #waitingFor: number;
  #hadParts = false;
  #acknowledged = false;
  readonly #begun = Promise.withResolvers<void>();

  constructor(funnel: EventFunnel, id: JsonRpcId, memberCount: number) {
    this.#funnel = funnel;
    this.#id = id;
    this.#waitingFor = memberCount;
  }

  /** Whether any upstream told anything. */
  get hadParts(): boolean {
    return this.#hadParts;
  }

  /** Adds what is watched here. */
  grant(filter: Fields): void {
    this.#granted.push(filter);
    if (this.#waitingFor === 0) void this.acknowledge();
  }

  part(): Part {
    let answered = false;
    const answer = async (): Promise<void> => {
      if (answered) return;
      answered = true;
      if (--this.#waitingFor === 0) await this.acknowledge();
    };
    return {
      close: answer,
      take: async (data) => {
        const message = messageIn(data);
        if ('method' in message) this.#hadParts = true;
        if (message['method'] === ACKNOWLEDGED) {
          this.#granted.push(asFields(asFields(message['params'])?.['notifications']) ?? {});
          await answer();
        } else if ('method' in message) {
          await this.pass(data);
        }
      },
    };
  }

  /** Tells the caller what is watched, before anything else. */
  async acknowledge(): Promise<void> {
    if (this.#acknowledged) return;
    this.#acknowledged = true;
    const params = { notifications: mergeFilters(this.#granted), _meta: { [META.subscriptionId]: this.#id } };
    const acknowledged = this.#funnel.write(
      sseMessage(JSON.stringify({ jsonrpc: '2.0', method: ACKNOWLEDGED, params })),
    );
    this.#begun.resolve();
    await acknowledged;
  }

  /** Sends a message once it was said what is watched; who has more to tell waits until then. */
  async pass(data: string): Promise<void> {
    await this.#begun.promise;
    await this.#funnel.write(sseMessage(data));
  }
}

/** An event that is no message tells nobody anything, so it is passed over. */
function messageIn(data: string): Fields {
  try {
    return asFields(JSON.parse(data)) ?? {};
  } catch {
    return {};
  }
}

async function* messages(response: ChannelResponse): AsyncGenerator<string> {
  if (!isEventStream(response)) return;
  for await (const { data } of sseEvents(response.stream())) if (data) yield data;
}

/** What is watched when any upstream watches it; resource lists are joined. */
function mergeFilters(filters: readonly Fields[]): Fields {
  const merged = new Map<string, unknown>();
  for (const filter of filters)
    for (const [name, value] of Object.entries(filter)) {
      const known = merged.get(name);
      const both = Array.isArray(value) && Array.isArray(known);
      merged.set(name, both ? [...new Set([...known, ...value])] : known || value);
    }
  return Object.fromEntries(merged);
}
