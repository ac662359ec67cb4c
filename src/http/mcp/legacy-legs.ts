import type { CancelSignal } from '../../base/cancel-signal.ts';
import { GatewayError } from '../../base/errors.ts';
import type { SingleFlight } from '../../base/single-flight.ts';
import type { Member } from '../../catalog/virtual-server.ts';
import type { LegacySession } from '../../session/legacy-sessions.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { ASSUMED_LEGACY_VERSION, LEGACY_VERSIONS, MODERN_VERSIONS } from '../../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../wire/headers.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import type { Exchange } from './exchange.ts';
import { withOwnIds } from './own-ids.ts';
import { legacyHeaders } from './upstream-headers.ts';
import { finalMessage } from './final-message.ts';

/** How one caller's legacy messages reach the upstreams of a virtual server. */
export interface LegacyLegs {
  /** The session id to tell the caller. */
  readonly sessionId: string | undefined;
  /** Sends one request; `text` is its JSON. Sent at most once unless the upstream said it had not looked at it. */
  send(member: Member, request: JsonRpcRequest, text: string): Promise<ChannelResponse>;
}

/** The upstream's answer to an initialize, and the session it opened. */
export interface Initialized {
  readonly response: ChannelResponse;
  readonly sessionId: string;
}

/** Initializes one upstream for a caller. */
export async function initializeUpstream(exchange: Exchange, upstream: Upstream, text: string): Promise<Initialized> {
  const protocolVersion = exchange.request.headers.get(PROTOCOL_VERSION) ?? ASSUMED_LEGACY_VERSION;
  const headers = legacyHeaders(exchange.request, upstream, { id: '', protocolVersion });
  delete headers[PROTOCOL_VERSION];
  const response = await upstream.send(exchange.grant, {
    method: 'POST',
    headers,
    body: text,
    signal: exchange.signal,
    mcpMethod: 'initialize',
  });
  return { response, sessionId: response.headers[SESSION_ID] ?? '' };
}

/** Until an upstream was reached nobody knows what it speaks, so it is asked. */
export function speaksLegacy({ facts }: Upstream): boolean {
  return facts === undefined || facts.legacy !== undefined;
}

/** @throws GatewayError protocol_version_unsupported for an upstream of the modern era only */
export function requireLegacy(upstream: Upstream): void {
  if (speaksLegacy(upstream)) return;
  throw new GatewayError('protocol_version_unsupported', 'this server speaks no protocol version before 2026-07-28', {
    details: { rpcData: { supported: upstream.facts?.modern?.supportedVersions ?? MODERN_VERSIONS } },
  });
}

/** Legs of a caller with a session: each upstream has a session of its own for it, and message ids pass unchanged. */
export class SessionLegs implements LegacyLegs {
  readonly #exchange: Exchange;
  readonly #session: LegacySession;
  readonly #renewals: SingleFlight<void>;

  /** @param renewals shared by all requests, so that a lost session is initialized once */
  constructor(exchange: Exchange, session: LegacySession, renewals: SingleFlight<void>) {
    this.#exchange = exchange;
    this.#session = session;
    this.#renewals = renewals;
  }

  get sessionId(): string {
    return this.#session.token;
  }

  async send({ upstream }: Member, request: JsonRpcRequest, text: string): Promise<ChannelResponse> {
    const known = this.#session.upstream(upstream.config.id);
    if (known === undefined) await this.#renew(upstream);
    const response = await this.#post(upstream, request.method, text);
    if (response.status !== 404 || !known?.id) return response;
    // 404 means that the upstream lost the session and did not look at the message (MCP 2025-11-25, transports)
    await response.text(DISCARDED_BYTES);
    if (this.#session.upstream(upstream.config.id) === known) await this.#renew(upstream);
    return this.#post(upstream, request.method, text);
  }

  /** Posts a notification or an answer: nothing is expected back. */
  async post(upstream: Upstream, label: string, text: string): Promise<ChannelResponse> {
    return this.#post(upstream, label, text);
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
    if (method === 'GET') headers['accept'] = 'text/event-stream';
    return upstream.send(this.#exchange.grant, { method, headers, signal, mcpMethod: method });
  }

  #post(upstream: Upstream, mcpMethod: string, body: string): Promise<ChannelResponse> {
    const { grant, signal } = this.#exchange;
    return upstream.send(grant, {
      method: 'POST',
      headers: this.#headers(upstream),
      body,
      signal,
      mcpMethod,
    });
  }

  #headers(upstream: Upstream): Record<string, string> {
    const session = this.#session.upstream(upstream.config.id) ?? NO_SESSION;
    return legacyHeaders(this.#exchange.request, upstream, session);
  }

  #renew(upstream: Upstream): Promise<void> {
    const { id } = upstream.config;
    return this.#renewals.run(`${this.#session.state.id} ${id}`, async () => {
      const initialize = {
        jsonrpc: '2.0',
        id: 'postern-initialize',
        method: 'initialize',
        params: this.#session.state.initialize,
      };
      const { response, sessionId } = await initializeUpstream(this.#exchange, upstream, JSON.stringify(initialize));
      const answer = await finalMessage(response);
      if (!('result' in answer))
        throw new GatewayError(
          'upstream_session_lost',
          `the upstream lost the session and refused to open it again: ${answer.error.message}`,
        );
      this.#session.renew(id, { id: sessionId, protocolVersion: String(answer.result['protocolVersion']) });
      const accepted = await this.#post(upstream, 'notifications/initialized', INITIALIZED);
      await accepted.text(DISCARDED_BYTES);
    });
  }
}

const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
const DISCARDED_BYTES = 64 * 1024;
const NO_SESSION = { id: '', protocolVersion: ASSUMED_LEGACY_VERSION };

/** Legs of a caller without a session: each upstream serves it in the session the gateway keeps for itself. */
export class StatelessLegs implements LegacyLegs {
  readonly sessionId = undefined;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  async send({ upstream }: Member, request: JsonRpcRequest, text: string): Promise<ChannelResponse> {
    requireLegacy(upstream);
    const { grant, request: incoming, signal } = this.#exchange;
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
    await response.text(DISCARDED_BYTES);
    return own.restore(await post(await shared.renew(), own.text));
  }
}

function requestedVersion(request: Request): string {
  const version = request.headers.get(PROTOCOL_VERSION);
  return version !== null && LEGACY_VERSIONS.includes(version) ? version : ASSUMED_LEGACY_VERSION;
}
