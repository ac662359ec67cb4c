import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { asFields, isFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import type { Grant } from '../../policy/grant.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { abortError } from '../../upstream/deadline.ts';
import { EventQueue } from '../../upstream/event-queue.ts';
import type { LegacyFacts } from '../../upstream/facts.ts';
import { messageResponse } from '../../upstream/ready-response.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { META } from '../../wire/eras.ts';
import type { JsonRpcErrorBody, JsonRpcRequest } from '../../wire/json-rpc.ts';
import { isLogLevel } from '../../wire/log-levels.ts';
import { listingsChangedBy, targetOf } from '../../wire/mcp.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { LegacyCall } from './legacy-call.ts';
import type { Tell, WaitingCall } from './waiting-call.ts';
import type { Caller } from './leg.ts';
import { listenLegacy } from './listen-legacy.ts';
import type { ParkedCalls } from './parked-calls.ts';
import { askingCapabilities } from '../asking-capabilities.ts';
import type { Binding } from './request-state.ts';
import { UpstreamSessions } from './upstream-sessions.ts';
import { discoverResultOf, modernAnswerOf } from './translation.ts';

/** A modern request for a legacy server, its envelope checked. */
export interface ModernRequest {
  readonly upstream: Upstream;
  readonly grant: Grant;
  /** Key of the virtual server it came to. */
  readonly server: string;
  /** Under the names the upstream knows. */
  readonly request: JsonRpcRequest;
  /** Headers of the caller that go upstream. */
  readonly passed: Readonly<Record<string, string>>;
  /** Aborts when the caller leaves. */
  readonly signal: CancelSignal;
  /** A failure as it is told where the answer has begun already. */
  readonly describe: (error: GatewayError) => JsonRpcErrorBody;
}

export interface ModernToLegacyOptions {
  readonly clock: Clock;
  readonly parked: ParkedCalls;
}

/**
 * Speaks the modern era to callers for servers that only know the legacy one: what it answers looks like the answer of
 * a modern server.
 *
 * A request travels in a session with the server. What the server asks meanwhile is the result of the request: the
 * call waits, its stream open, until the caller's retry brings the answers.
 */
export class ModernToLegacy {
  readonly #options: ModernToLegacyOptions;
  readonly #sessions = new WeakMap<Upstream, UpstreamSessions>();

  constructor(options: ModernToLegacyOptions) {
    this.#options = options;
  }

  /**
   * The server's answer to one request, its question included.
   *
   * @throws GatewayError request_state_invalid, request_state_expired, request_invalid, bridge_busy,
   * upstream_session_lost, upstream_protocol and dial codes
   */
  async send(sent: ModernRequest): Promise<ChannelResponse> {
    const { request, upstream, grant, signal } = sent;
    const { legacy } = upstream.facts ?? (await upstream.connect(grant, signal));
    if (legacy === undefined)
      throw new GatewayError('upstream_protocol', 'the upstream speaks no legacy version any more');
    if (request.method === 'server/discover')
      return messageResponse({ jsonrpc: '2.0', id: request.id, result: discoverResultOf(legacy) });
    if (request.method === 'subscriptions/listen') return this.#listen(sent, legacy);
    const { requestState, inputResponses } = request.params ?? {};
    if (inputResponses !== undefined && !isFields(inputResponses)) throw malformed('inputResponses is no object');
    if (requestState === undefined) return this.#call(sent, legacy);
    if (typeof requestState !== 'string') throw malformed('requestState is no string');
    const call = await this.#options.parked.take(requestState, bindingOf(sent));
    return this.#attended(sent, call, legacy, () => call.answer(inputResponses ?? {}));
  }

  /** Ends every call that waits for its caller. */
  close(): Promise<void> {
    return this.#options.parked.close();
  }

  #call(sent: ModernRequest, legacy: LegacyFacts): Promise<ChannelResponse> {
    const { request, upstream } = sent;
    const call = new LegacyCall({
      clock: this.#options.clock,
      request,
      caller: callerOf(sent),
      sessions: this.#sessionsOf(upstream),
      logLevel: logLevelOf(request),
      onListChanged: (changed) => upstream.listings.changed(listingsChangedBy(changed)),
    });
    return this.#attended(sent, call, legacy, (tell) => call.start(tell));
  }

  /**
   * What a call comes to, after the notifications the caller wants to hear; who leaves before that ends it.
   *
   * @param begin makes the call begin, or go on
   */
  async #attended(
    sent: ModernRequest,
    call: WaitingCall,
    legacy: LegacyFacts,
    begin: (tell: Tell) => Promise<void>,
  ): Promise<ChannelResponse> {
    const { signal, request } = sent;
    let attended = true;
    const leave = (): void => {
      if (attended) void call.cancel(abortError(signal));
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const queue = new EventQueue(leave, undefined);
    const tell: Tell = (notification) => queue.push(JSON.stringify(notification));
    const begun = begin(tell);
    const message = begun
      .then(() => this.#turn(sent, call, legacy, tell))
      .finally(() => {
        attended = false;
        signal.removeEventListener('abort', leave);
      });
    if (!wantsNotifications(request)) return messageResponse(await message);
    const told = message.catch((thrown: unknown) => {
      return { jsonrpc: '2.0', id: request.id, error: sent.describe(toGatewayError(thrown)) };
    });
    // until the server has begun to answer, a failure can be told by the status as well
    await begun;
    void told.then((last) => {
      queue.push(JSON.stringify(last));
      queue.end();
    });
    return queue.response({});
  }

  async #turn(sent: ModernRequest, call: WaitingCall, { serverInfo }: LegacyFacts, tell: Tell): Promise<object> {
    const { request } = sent;
    const turn = await call.next(tell);
    if (turn.kind === 'answered') return modernAnswerOf(request, turn.answer, serverInfo);
    const requestState = await this.#options.parked.park(call, bindingOf(sent));
    const { inputRequests } = turn;
    const _meta = serverInfo && { [META.serverInfo]: serverInfo };
    const result = { resultType: 'input_required', inputRequests, requestState, ...(_meta && { _meta }) };
    return { jsonrpc: '2.0', id: request.id, result };
  }

  #listen(sent: ModernRequest, { capabilities }: LegacyFacts): ChannelResponse {
    const { request, upstream, signal } = sent;
    return listenLegacy({
      clock: this.#options.clock,
      sessions: this.#sessionsOf(upstream),
      caller: { ...callerOf(sent), capabilities: {} },
      request,
      capabilities,
      signal,
      onListChanged: (changed) => upstream.listings.changed(listingsChangedBy(changed)),
    });
  }

  #sessionsOf(upstream: Upstream): UpstreamSessions {
    const known = this.#sessions.get(upstream);
    if (known) return known;
    const sessions = new UpstreamSessions(upstream, this.#options.clock);
    this.#sessions.set(upstream, sessions);
    return sessions;
  }
}

function callerOf({ grant, passed, request }: ModernRequest): Caller {
  return { grant, passed, capabilities: askingCapabilities(metaOf(request)[META.clientCapabilities]) };
}

function bindingOf({ grant, server, upstream, request }: ModernRequest): Binding {
  const target = targetOf(request);
  return {
    subject: grant.subject,
    server,
    upstream: upstream.config.id,
    method: request.method,
    target: target.by === 'none' ? '' : target.value,
  };
}

function logLevelOf(request: JsonRpcRequest): string | undefined {
  const level = metaOf(request)[META.logLevel];
  if (level === undefined || isLogLevel(level)) return level;
  throw malformed(`${META.logLevel} names no severity`);
}

/** Whether anything may come before the answer. */
function wantsNotifications(request: JsonRpcRequest): boolean {
  const meta = metaOf(request);
  return meta['progressToken'] !== undefined || meta[META.logLevel] !== undefined;
}

const metaOf = ({ params }: JsonRpcRequest): Fields => asFields(params?.['_meta']) ?? {};

const malformed = (what: string): GatewayError =>
  new GatewayError('request_invalid', what, { details: { rpcCode: RPC.invalidParams } });
