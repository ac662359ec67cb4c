import { abortSignalOf } from '../../base/cancel-signal.ts';
import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { isRequest, messageIn, parseMessage, type JsonRpcRequest } from '../../wire/json-rpc.ts';
import { EVENTS_TYPE, isEventStream, JSON_TYPE } from '../../wire/media-types.ts';
import { sseEvents, type SseEvent } from '../../wire/sse.ts';
import { answerOfNobody } from '../answer-of-nobody.ts';
import type { Outbound } from '../credentials.ts';
import { withDeadline } from '../deadline.ts';
import { LegacySseInbox } from './legacy-sse-inbox.ts';
import { discard } from '../own-request.ts';
import { finished, readResponse, rpcRefusal, textResponse } from '../ready-response.ts';
import type { ChannelSource } from '../streamable-http.ts';
import { headersTimeoutMs, type TransportRequest } from '../transport.ts';

const OPEN_TIMEOUT_MS = 15_000;

export interface SseSessionOptions {
  readonly channel: ChannelSource;
  readonly outbound: Outbound;
  readonly url: URL;
  readonly clock: Clock;
  /** Whose session it is: one caller's, or the gateway's for many. */
  readonly audience: 'one' | 'many';
  readonly onClosed: (session: LegacySseSession) => void;
}

/**
 * One event stream of an HTTP+SSE upstream, and the requests whose answers come over it.
 *
 * @see MCP 2024-11-05, transports, HTTP with SSE
 */
export class LegacySseSession {
  readonly id = newId();
  readonly #options: SseSessionOptions;
  readonly #lifetime = new AbortController();
  readonly #inbox: LegacySseInbox;
  readonly #endpoint = Promise.withResolvers<string>();
  #lastUsedMs = 0;

  constructor(options: SseSessionOptions) {
    this.#options = options;
    this.#inbox = new LegacySseInbox(options.audience, () => this.#touch());
    this.#touch();
    // a stream that fails before its endpoint came is reported by open()
    this.#endpoint.promise.catch(() => undefined);
  }

  /** Milliseconds since anything was sent or awaited here. */
  get idleMs(): number {
    return this.#inbox.isIdle ? this.#options.clock.monotonicMs() - this.#lastUsedMs : 0;
  }

  /**
   * Opens the stream and waits for the address to post to; the answer of an upstream that refuses it.
   *
   * @throws GatewayError upstream_protocol, upstream_timeout, and dial codes
   */
  async open(
    headers: Readonly<Record<string, string>>,
    signal: CancelSignal | undefined,
  ): Promise<ChannelResponse | undefined> {
    const { channel, outbound, clock } = this.#options;
    try {
      return await withDeadline(clock, OPEN_TIMEOUT_MS, signal, async () => {
        const opened = await channel();
        const response = await opened.send({
          method: 'GET',
          path: outbound.path,
          headers: outbound.headers({ ...headers, accept: EVENTS_TYPE }),
          signal: this.#lifetime.signal,
          headersTimeoutMs: OPEN_TIMEOUT_MS,
        });
        if (response.status !== 200) return this.#refused(response);
        if (!isEventStream(response)) {
          const type = response.headers['content-type']?.slice(0, 80) ?? 'no content type';
          throw new GatewayError('upstream_protocol', `expected an event stream, met ${type}`);
        }
        void this.#pump(response.stream());
        await this.#endpoint.promise;
        return undefined;
      });
    } catch (error) {
      this.close(toGatewayError(error));
      throw error;
    }
  }

  /** Posts a message; the answer to a request comes as an event stream, as in Streamable HTTP. */
  async post(request: TransportRequest, headers: Readonly<Record<string, string>>): Promise<ChannelResponse> {
    this.#touch();
    const message = parseMessage(request.body ?? '');
    const queue = isRequest(message) ? this.#inbox.expect(message, request) : undefined;
    try {
      const response = await this.#send(request.body ?? '', request.headers, request.signal, request.mcpMethod);
      if (response.status >= 200 && response.status < 300) {
        await discard(response);
        return queue ? queue.response(headers) : finished(request, textResponse(202, '', headers));
      }
      queue?.abandon();
      return finished(request, await readResponse(response));
    } catch (error) {
      queue?.abandon();
      throw error;
    }
  }

  /** The stream of what belongs to no request. */
  listen(request: TransportRequest): ChannelResponse {
    const queue = this.#inbox.listen(request);
    if (queue === undefined) return finished(request, rpcRefusal(409, -32000, 'a stream is open already'));
    queue.flush();
    return queue.response({});
  }

  /** Ends everything; requests in flight fail with `error`. Idempotent. */
  close(error: GatewayError): void {
    if (this.#lifetime.signal.aborted) return;
    this.#lifetime.abort(error);
    this.#endpoint.reject(error);
    this.#inbox.close(error);
    this.#options.onClosed(this);
  }

  async #refused(response: ChannelResponse): Promise<ChannelResponse> {
    const refusal = await readResponse(response);
    this.close(new GatewayError('connection_lost', 'the upstream refused to open an event stream'));
    return refusal;
  }

  async #pump(stream: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const event of sseEvents(stream)) this.#take(event);
      this.close(new GatewayError('connection_lost', 'the upstream ended its event stream'));
    } catch (error) {
      this.close(toGatewayError(error));
    }
  }

  #take({ event, data }: SseEvent): void {
    if (data === undefined) return;
    if (event === 'endpoint') return this.#endpoint.resolve(this.#endpointPath(data));
    const message = messageIn(data);
    // what is no message belongs to nobody
    if (message === undefined) return;
    if (!this.#inbox.deliver(message, data) && isRequest(message)) this.#answerUnheard(message);
  }

  #endpointPath(data: string): string {
    const { url, outbound } = this.#options;
    const endpoint = URL.parse(data, url);
    if (endpoint?.origin === url.origin) return outbound.pathOf(endpoint);
    throw new GatewayError('upstream_protocol', 'the upstream wants messages sent to another origin than its own', {
      hint: 'our credentials and client certificate are for this origin only; the endpoint event of the server must name it',
    });
  }

  #answerUnheard(message: JsonRpcRequest): void {
    this.#send(JSON.stringify(answerOfNobody(message)), { 'content-type': JSON_TYPE }, undefined, 'response')
      .then(discard)
      .catch((error: unknown) => this.close(toGatewayError(error)));
  }

  async #send(
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: CancelSignal | undefined,
    mcpMethod: string,
  ): Promise<ChannelResponse> {
    const { channel, outbound } = this.#options;
    const path = await this.#endpoint.promise;
    const opened = await channel();
    return opened.send({
      method: 'POST',
      path,
      headers: outbound.headers(headers),
      body,
      signal: signal ? AbortSignal.any([abortSignalOf(signal), this.#lifetime.signal]) : this.#lifetime.signal,
      headersTimeoutMs: headersTimeoutMs(mcpMethod),
    });
  }

  #touch(): void {
    this.#lastUsedMs = this.#options.clock.monotonicMs();
  }
}
