import { abortSignalOf } from '../../../base/cancel-signal.ts';
import type { CancelSignal } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { BridgedLeg } from '../../../bridge/legacy-to-modern/legacy-to-modern.ts';
import type { Member } from '../../../catalog/member.ts';
import type { LegacySession } from '../../../session/legacy-session.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { textResponse } from '../../../upstream/ready-response.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { MODERN_VERSION } from '../../../wire/eras.ts';
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { failureOf } from '../answers.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { SessionLegs, StatelessLegs } from './legacy-legs.ts';
import type { LegacyLegs, LegacySessionLegs } from './legacy-legs.ts';
import { speaksLegacy } from './upstream-initialize.ts';
import { legacyHeaders } from '../upstream-headers.ts';

/** Legs to upstreams that speak the modern era only: nothing of the session is known there. */
class BridgedLegs implements LegacySessionLegs {
  readonly #services: McpServices;
  readonly #exchange: Exchange;
  readonly #session: LegacySession | undefined;

  constructor(services: McpServices, exchange: Exchange, session: LegacySession | undefined) {
    this.#services = services;
    this.#exchange = exchange;
    this.#session = session;
  }

  send(
    { upstream }: Member,
    request: JsonRpcRequest,
    _text: string,
    signal: CancelSignal = this.#exchange.signal,
  ): Promise<ChannelResponse> {
    const describe = (failure: GatewayError) => failureOf(request.id, failure).error;
    return this.#services.legacyToModern.send(this.#leg(upstream), { request, signal, describe });
  }

  async post(_upstream: Upstream, message: JsonRpcNotification | JsonRpcResponse): Promise<ChannelResponse> {
    await this.#services.legacyToModern.take(this.#required(), message);
    return textResponse(202, '');
  }

  open(upstream: Upstream, _method: 'GET', _extra: object, signal: CancelSignal): Promise<ChannelResponse> {
    const leg = { ...this.#leg(upstream), session: this.#required() };
    return Promise.resolve(this.#services.legacyToModern.listen(leg, abortSignalOf(signal)));
  }

  #leg(upstream: Upstream): BridgedLeg {
    const { grant, request } = this.#exchange;
    const headers = legacyHeaders(request, upstream, { id: '', protocolVersion: MODERN_VERSION });
    return { upstream, grant, session: this.#session, headers };
  }

  #required(): LegacySession {
    if (this.#session) return this.#session;
    throw new GatewayError('request_invalid', 'this needs a session; initialize first');
  }
}

/** Legs of a caller with a session: straight to upstreams that speak its era, over the bridge to the others. */
export function sessionLegs(services: McpServices, exchange: Exchange, session: LegacySession): LegacySessionLegs {
  const to = (upstream: Upstream): LegacySessionLegs =>
    speaksLegacy(upstream)
      ? new SessionLegs(services, exchange, session)
      : new BridgedLegs(services, exchange, session);
  return {
    send: (member, request, text, signal = exchange.signal) =>
      onceKnown(exchange, member.upstream, signal, () => to(member.upstream).send(member, request, text, signal)),
    post: (upstream, message, text) => to(upstream).post(upstream, message, text),
    open: (upstream, method, extra, signal) => to(upstream).open(upstream, method, extra, signal),
  };
}

/** Legs of a caller without one. */
export function statelessLegs(services: McpServices, exchange: Exchange): LegacyLegs {
  const to = (upstream: Upstream): LegacyLegs =>
    speaksLegacy(upstream) ? new StatelessLegs(exchange) : new BridgedLegs(services, exchange, undefined);
  return {
    send: (member, request, text, signal = exchange.signal) =>
      onceKnown(exchange, member.upstream, signal, () => to(member.upstream).send(member, request, text, signal)),
  };
}

/** What an upstream speaks is known once it was reached, and then this costs no wait. */
function onceKnown<T>(
  { grant }: Exchange,
  upstream: Upstream,
  signal: CancelSignal,
  send: () => Promise<T>,
): Promise<T> {
  return upstream.facts === undefined ? upstream.connect(grant, signal).then(send) : send();
}
