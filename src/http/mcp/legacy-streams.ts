import { GatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { LAST_EVENT_ID } from '../../wire/headers.ts';
import { SSE_COMMENT } from '../../wire/sse.ts';
import type { LegacySession } from '../../session/legacy-sessions.ts';
import { eventsAnswer, isEventStream } from './answers.ts';
import { parseEventId, rewrittenEvents, taggedEvent } from './event-tags.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { SessionLegs } from './legacy-legs.ts';
import { sessionOf } from './legacy-post.ts';

/** How long upstreams get to say that they offer no stream, before the caller's stream is opened all the same. */
const REFUSAL_WAIT_MS = 300;
const KEEP_ALIVE_MS = 15_000;

/**
 * GET: the stream on which upstreams speak unasked, or the rest of one that broke (Last-Event-ID).
 *
 * Some servers send the headers of this stream only with its first event, so the caller is not kept waiting for them.
 * @see MCP 2025-11-25, transports, Listening for Messages from the Server
 */
export async function legacyStream(services: McpServices, exchange: Exchange): Promise<Response> {
  const session = await requiredSession(services, exchange);
  const { server, request } = exchange;
  const legs = new SessionLegs(exchange, session, services.renewals);
  const closed = new AbortController();
  const lastEventId = request.headers.get(LAST_EVENT_ID);
  const resumed = lastEventId !== null && !server.transparent ? parseEventId(lastEventId) : undefined;
  if (lastEventId !== null && !server.transparent && !resumed)
    throw new GatewayError('request_invalid', 'the Last-Event-ID was not sent by this server');

  const sources = server.members
    .map(({ upstream }) => upstream)
    .filter(({ config }) => session.upstream(config.id) && (!resumed || resumed.upstreamId === config.id));
  const replay: Record<string, string> = lastEventId === null ? {} : { [LAST_EVENT_ID]: resumed?.value ?? lastEventId };
  const opening = sources.map(async (upstream) => ({
    upstream,
    response: await legs.open(upstream, 'GET', replay, closed.signal),
  }));

  const refused = Promise.allSettled(opening).then((all) =>
    all.every((one) => one.status === 'rejected' || !isOpen(one.value.response)),
  );
  if (await within(services, REFUSAL_WAIT_MS, refused)) {
    closed.abort();
    throw new GatewayError('method_not_allowed', 'the server offers no stream of its own');
  }
  return eventsAnswer(joined(services, opening, closed, server.transparent));
}

const isOpen = (response: ChannelResponse): boolean => response.status === 200 && isEventStream(response);

/** The promise's value, or undefined when it takes longer. */
function within<T>({ clock }: McpServices, delayMs: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, () => resolve(undefined));
    void promise.then((value) => {
      cancel();
      resolve(value);
    });
  });
}

type Opening = Promise<{ readonly upstream: Upstream; readonly response: ChannelResponse }>;

/** All upstream streams on one, kept alive by comments, ending when the last of them ends or the caller leaves. */
function joined(
  services: McpServices,
  opening: readonly Opening[],
  closed: AbortController,
  untouched: boolean,
): ReadableStream<Uint8Array> {
  let stopKeepAlive = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const keepAlive = (): void => {
        controller.enqueue(SSE_COMMENT);
        stopKeepAlive = services.clock.after(KEEP_ALIVE_MS, keepAlive);
      };
      keepAlive();
      const pumps = opening.map(async (one) => {
        const { upstream, response } = await one;
        if (!isOpen(response)) return void (await response.text(DISCARDED_BYTES));
        const events = response.stream();
        const source = untouched ? events : rewrittenEvents(events, (event) => taggedEvent(upstream.config.id, event));
        await source.pipeTo(new WritableStream({ write: (chunk) => controller.enqueue(chunk) }), {
          signal: closed.signal,
        });
      });
      void Promise.allSettled(pumps).then(() => {
        stopKeepAlive();
        if (!closed.signal.aborted) controller.close();
      });
    },
    cancel() {
      stopKeepAlive();
      closed.abort();
    },
  });
}

/** DELETE: ends the session here and at its upstreams. */
export async function endSession(services: McpServices, exchange: Exchange): Promise<Response> {
  const session = await requiredSession(services, exchange);
  await services.sessions.revoke(session);
  const legs = new SessionLegs(exchange, session, services.renewals);
  const { signal } = exchange;
  const ended = exchange.server.members
    .filter(({ upstream }) => session.upstream(upstream.config.id)?.id)
    .map(async ({ upstream }) => (await legs.open(upstream, 'DELETE', {}, signal)).text(DISCARDED_BYTES));
  await Promise.allSettled(ended);
  return new Response(null, { status: 204 });
}

async function requiredSession(services: McpServices, exchange: Exchange): Promise<LegacySession> {
  const session = await sessionOf(services, exchange);
  if (session) return session;
  if (exchange.request.method === 'GET')
    throw new GatewayError('method_not_allowed', 'a stream needs a session; initialize first');
  throw new GatewayError('request_invalid', 'there is no Mcp-Session-Id to end');
}

const DISCARDED_BYTES = 64 * 1024;
