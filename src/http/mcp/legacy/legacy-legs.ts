import type { CancelSignal } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { Member } from '../../../catalog/member.ts';
import type { LegacySession, UpstreamSession } from '../../../session/legacy-session.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { untilAborted, withDeadline } from '../../../upstream/deadline.ts';
import { discard } from '../../../upstream/own-request.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { ASSUMED_LEGACY_VERSION, LEGACY_VERSIONS } from '../../../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../../wire/headers.ts';
import { EVENTS_TYPE } from '../../../wire/media-types.ts';
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { withOwnIds } from './own-ids.ts';
import { legacyHeaders } from '../upstream-headers.ts';
import { initializeUpstream } from './upstream-initialize.ts';

/** How one caller's legacy messages reach the upstreams of a virtual server. */
export interface LegacyLegs {
  /**
   * Sends one request; `text` is its JSON. Sent at most once unless the upstream said it had not looked at it.
   *
   * @param signal default: the caller's
   */
  send(member: Member, request: JsonRpcRequest, text: string, signal?: CancelSignal): Promise<ChannelResponse>;
}

/** The legs of a caller with a session, which can be told and asked something. */
export interface LegacySessionLegs extends LegacyLegs {
  /** Posts a notification or an answer, `text` is its JSON: nothing is expected back. */
  post(upstream: Upstream, message: JsonRpcNotification | JsonRpcResponse, text: string): Promise<ChannelResponse>;
  /** Opens a stream (GET) on which the upstream speaks unasked. */
  open(
    upstream: Upstream,
    method: 'GET',
    extra: Readonly<Record<string, string>>,
    signal: CancelSignal,
  ): Promise<ChannelResponse>;
}

/** Legs of a caller with a session: each upstream has a session of its own for it, and message ids pass unchanged. */
export class SessionLegs implements LegacySessionLegs {
  readonly #exchange: Exchange;
  readonly #session: LegacySession;
  readonly #services: McpServices;

  constructor(services: McpServices, exchange: Exchange, session: LegacySession) {
    this.#services = services;
    this.#exchange = exchange;
    this.#session = session;
  }

  async send(
    { upstream }: Member,
    request: JsonRpcRequest,
    text: string,
    signal: CancelSignal = this.#exchange.signal,
  ): Promise<ChannelResponse> {
    const known = this.#session.upstream(upstream.config.id);
    if (known === undefined) await this.#renewed(upstream, known, signal);
    const response = await this.#post(upstream, request.method, text, signal);
    if (response.status !== 404 || !known?.id) return response;
    // 404 means that the upstream lost the session and did not look at the message (MCP 2025-11-25, transports)
    await discard(response);
    if (this.#session.upstream(upstream.config.id) === known) await this.#renewed(upstream, known, signal);
    return this.#post(upstream, request.method, text, signal);
  }

  post(upstream: Upstream, message: JsonRpcNotification | JsonRpcResponse, text: string): Promise<ChannelResponse> {
    const label = 'method' in message ? message.method : 'response';
    return this.#post(upstream, label, text, this.#exchange.signal);
  }

  /** Opens a stream (GET) or ends the upstream's session (DELETE). */
  async open(
    upstream: Upstream,
    method: 'GET' | 'DELETE',
    extra: Readonly<Record<string, string>>,
    signal: CancelSignal,
  ) {
    const headers = { ...this.#headers(upstream), ...extra };
    delete headers['content-type'];
    if (method === 'GET') headers['accept'] = EVENTS_TYPE;
    return upstream.send(this.#exchange.grant, { method, headers, signal, mcpMethod: method });
  }

  #post(upstream: Upstream, mcpMethod: string, body: string, signal: CancelSignal): Promise<ChannelResponse> {
    const headers = this.#headers(upstream);
    return upstream.send(this.#exchange.grant, { method: 'POST', headers, body, signal, mcpMethod });
  }

  #headers(upstream: Upstream): Record<string, string> {
    const session = this.#session.upstream(upstream.config.id) ?? NO_SESSION;
    return legacyHeaders(this.#exchange.request, upstream, session);
  }

  /** Others may wait for the same renewal, so it does not end with the caller who happened to begin it. */
  #renewed(upstream: Upstream, lost: UpstreamSession | undefined, signal: CancelSignal): Promise<void> {
    const key = `${this.#session.state.id} ${upstream.config.id}`;
    const { sessions, renewals } = this.#services;
    const renewing = renewals.run(key, () =>
      sessions.renew(this.#session, upstream.config.id, lost, () => this.#initialize(upstream)),
    );
    return untilAborted(renewing, signal);
  }

  async #initialize(upstream: Upstream): Promise<UpstreamSession> {
    const params = this.#session.state.initialize;
    const text = JSON.stringify({ jsonrpc: '2.0', id: 'postern-initialize', method: 'initialize', params });
    const { answer, session } = await initializeUpstream(this.#services, this.#exchange, upstream, text);
    if (!session)
      throw new GatewayError('upstream_session_lost', 'the upstream lost the session and refused to open it again', {
        details: { refusal: 'error' in answer ? answer.error.code : undefined },
      });
    const { grant, request } = this.#exchange;
    const headers = legacyHeaders(request, upstream, session);
    const mcpMethod = 'notifications/initialized';
    await withDeadline(this.#services.clock, MEMBER_DEADLINE_MS, undefined, async (signal) =>
      discard(await upstream.send(grant, { method: 'POST', headers, body: INITIALIZED, signal, mcpMethod })),
    );
    return session;
  }
}

const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
const NO_SESSION = { id: '', protocolVersion: ASSUMED_LEGACY_VERSION };

/** Legs of a caller without a session: each upstream serves it in the session the gateway keeps for itself. */
export class StatelessLegs implements LegacyLegs {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  async send(
    { upstream }: Member,
    request: JsonRpcRequest,
    text: string,
    signal: CancelSignal = this.#exchange.signal,
  ): Promise<ChannelResponse> {
    const { grant, request: incoming } = this.#exchange;
    const shared = await upstream.sharedSession(grant, signal);
    const post = (session: typeof shared, body: string) =>
      upstream.send(grant, {
        method: 'POST',
        headers: {
          ...legacyHeaders(incoming, upstream, { id: '', protocolVersion: requestedVersion(incoming) }),
          ...session.headers,
        },
        body,
        signal,
        mcpMethod: request.method,
      });
    if (!(SESSION_ID in shared.headers)) return post(shared, text);
    const own = withOwnIds(request, shared.nextId());
    const response = await post(shared, own.text);
    if (response.status !== 404) return own.restore(response);
    await discard(response);
    return own.restore(await post(await shared.renew(), own.text));
  }
}

function requestedVersion(request: Request): string {
  const version = request.headers.get(PROTOCOL_VERSION);
  return version !== null && LEGACY_VERSIONS.includes(version) ? version : ASSUMED_LEGACY_VERSION;
}
