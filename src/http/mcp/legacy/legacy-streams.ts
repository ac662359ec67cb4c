import { abortOf } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import { within } from '../../../base/pause.ts';
import { discard } from '../../../upstream/own-request.ts';
import { LAST_EVENT_ID } from '../../../wire/headers.ts';
import type { SseEvent } from '../../../wire/sse.ts';
import type { LegacySession } from '../../../session/legacy-session.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { eventsAnswer } from '../answers.ts';
import { EventFunnel } from '../event-funnel.ts';
import { parseEventId, rewrittenEvents, taggedEvent } from './event-tags.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { isHiddenNews } from '../hidden-news.ts';
import { sessionLegs } from './bridged-legs.ts';
import { endWithRules, isToldByUs, tellLegacy } from '../lists/list-news.ts';
import { SessionLegs } from './legacy-legs.ts';
import { sessionOf } from './legacy-post.ts';
import { takesPart } from './upstream-initialize.ts';

/** How long upstreams get to say that they offer no stream, before the caller's stream is opened all the same. */
const REFUSAL_WAIT_MS = 300;

/**
 * GET: the stream on which upstreams speak unasked, or the rest of one that broke (Last-Event-ID).
 *
 * Some servers send the headers of this stream only with its first event, so the caller is not kept waiting for them.
 * @see MCP 2025-11-25, transports, Listening for Messages from the Server
 */
export async function legacyStream(services: McpServices, exchange: Exchange): Promise<Response> {
  const session = await requiredSession(services, exchange);
  const { server, request } = exchange;
  const legs = sessionLegs(services, exchange, session);
  const lastEventId = request.headers.get(LAST_EVENT_ID);
  const resumed = lastEventId !== null && !server.transparent ? parseEventId(lastEventId) : undefined;
  if (lastEventId !== null && !server.transparent && !resumed)
    throw new GatewayError('request_invalid', 'the Last-Event-ID was not sent by this server');

  const sources = server.members.filter(
    ({ upstream }) => takesPart(session, upstream) && (!resumed || resumed.upstreamId === upstream.config.id),
  );
  const replay: Record<string, string> = lastEventId === null ? {} : { [LAST_EVENT_ID]: resumed?.value ?? lastEventId };
  const funnel = new EventFunnel(services);
  const opening = sources.map(({ upstream }) => legs.open(upstream, 'GET', replay, funnel.stopped));
  const pumps = opening.map(async (opened, index) => {
    const response = await opened;
    const member = sources[index];
    if (!member || !isEventStream(response)) {
      await discard(response);
      return false;
    }
    const { upstream } = member;
    const rewrite = (event: SseEvent) =>
      isHiddenNews(server, member, event.data) || isToldByUs(upstream, event.data)
        ? undefined
        : taggedEvent(upstream.config.id, event);
    const events = response.stream();
    const source = server.transparent ? events : rewrittenEvents(events, rewrite);
    const sink = new WritableStream<Uint8Array>({ write: (chunk) => funnel.write(chunk) });
    await source.pipeTo(sink, { signal: funnel.stopped }).catch(() => undefined);
    return true;
  });
  const ended = Promise.allSettled(pumps);
  if (!server.transparent && !resumed) {
    tellLegacy(services, exchange, funnel);
    // a caller whose upstreams went away comes back for new streams; where there never were any, it only hears from us
    void ended.then(async (all) => {
      if (!all.some((one) => one.status === 'fulfilled' && one.value)) await abortOf(funnel.stopped);
      funnel.end();
    });
    return eventsAnswer(funnel.stream);
  }
  endWithRules(services, exchange, funnel);
  void ended.then(() => funnel.end());

  const refused = Promise.allSettled(opening).then((all) =>
    all.every((one) => one.status === 'rejected' || !isEventStream(one.value)),
  );
  if (await within(services.clock, REFUSAL_WAIT_MS, refused)) {
    funnel.end();
    throw new GatewayError('method_not_allowed', 'the server offers no stream of its own');
  }
  return eventsAnswer(funnel.stream);
}

/** DELETE: ends the session here and at its upstreams. */
export async function endSession(services: McpServices, exchange: Exchange): Promise<Response> {
  const session = await requiredSession(services, exchange);
  await services.sessions.revoke(session);
  services.legacyToModern.end(session);
  const legs = new SessionLegs(services, exchange, session);
  const { signal } = exchange;
  const ended = exchange.server.members
    .filter(({ upstream }) => session.upstream(upstream.config.id)?.id)
    .map(async ({ upstream }) => discard(await legs.open(upstream, 'DELETE', {}, signal)));
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
