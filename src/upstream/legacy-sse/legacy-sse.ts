import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../wire/headers.ts';
import type { Outbound } from '../credentials.ts';
import { LegacySseSession } from './legacy-sse-session.ts';
import { finished, rpcRefusal, textResponse } from '../ready-response.ts';
import type { ChannelSource } from '../streamable-http.ts';
import type { TransportRequest, UpstreamTransport } from '../transport.ts';

/** How long a session may lie idle: nobody told its server that its client went away. */
const IDLE_MS = 30 * 60_000;

/**
 * HTTP+SSE of 2024-11-05 in the manner of Streamable HTTP with sessions: initialize opens an event stream and names a
 * session of our making; requests in it are answered with event streams of their own.
 */
export class LegacySse implements UpstreamTransport {
  readonly kind = 'sse';
  readonly #channel: ChannelSource;
  readonly #outbound: Outbound;
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, LegacySseSession>();
  #stopSweeping: (() => void) | undefined;

  constructor(channel: ChannelSource, outbound: Outbound, url: URL, clock: Clock) {
    this.#channel = channel;
    this.#outbound = outbound;
    this.#url = url;
    this.#clock = clock;
  }

  async send(request: TransportRequest): Promise<ChannelResponse> {
    // these name our session and the revision of its caller; the server knows neither
    const { [SESSION_ID]: sessionId, [PROTOCOL_VERSION]: _, ...headers } = request.headers;
    const outgoing = { ...request, headers };
    if (sessionId === undefined) {
      if (request.mcpMethod === 'initialize') return this.#initialize(outgoing);
      return finished(request, rpcRefusal(400, -32000, 'a session id is required'));
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return finished(request, rpcRefusal(404, -32001, 'session not found'));
    if (request.method === 'POST') return session.post(outgoing, {});
    if (request.method === 'GET') return session.listen(outgoing);
    session.close(new GatewayError('session_not_found', 'the session was ended by its client'));
    return finished(request, textResponse(200, ''));
  }

  close(reason: GatewayError): Promise<void> {
    this.#stopSweeping?.();
    for (const session of this.#sessions.values()) session.close(reason);
    return Promise.resolve();
  }

  async #initialize(request: TransportRequest): Promise<ChannelResponse> {
    const session = new LegacySseSession({
      channel: this.#channel,
      outbound: this.#outbound,
      url: this.#url,
      clock: this.#clock,
      audience: request.shared ? 'many' : 'one',
      onClosed: ({ id }) => this.#sessions.delete(id),
    });
    // known from the start, so that closing the upstream ends a stream that is being opened
    this.#sessions.set(session.id, session);
    this.#stopSweeping ??= this.#sweepLater();
    const refused = await session.open(request.headers, request.signal);
    if (refused) return finished(request, refused);
    try {
      const response = await session.post(request, { [SESSION_ID]: session.id });
      if (response.status !== 200) session.close(new GatewayError('connection_lost', 'initialize was refused'));
      return response;
    } catch (error) {
      session.close(toGatewayError(error));
      throw error;
    }
  }

  #sweepLater(): () => void {
    return this.#clock.after(IDLE_MS / 2, () => {
      this.#stopSweeping = undefined;
      for (const session of this.#sessions.values())
        if (session.idleMs >= IDLE_MS) session.close(new GatewayError('connection_lost', 'the session lay idle'));
      if (this.#sessions.size > 0) this.#stopSweeping = this.#sweepLater();
    });
  }
}
