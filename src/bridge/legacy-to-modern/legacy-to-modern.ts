/**
 * bridge: speaking one era to the caller and the other to the upstream.
 *
 * Owns the translation both ways, and the questions a modern server asks a legacy caller in between. Works on what
 * upstreams answer; must not know HTTP requests, virtual servers or what status a caller sees.
 */
import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import type { GatewayError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { Grant } from '../../policy/grant.ts';
import type { LegacySession } from '../../session/legacy-session.ts';
import type { LegacySessions } from '../../session/legacy-sessions.ts';
import type { Mailbox } from '../../session/mailbox.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { messageResponse } from '../../upstream/ready-response.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { isNotification, isResponse } from '../../wire/json-rpc.ts';
import type { JsonRpcErrorBody, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../wire/json-rpc.ts';
import { isEventStream } from '../../wire/media-types.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { generatedResponse } from './generated-response.ts';
import { legacyClientOf, STATELESS_CLIENT } from './legacy-client.ts';
import type { LegacyClient } from './legacy-client.ts';
import { conversation } from './conversation.ts';
import { Listening } from './listening.ts';
import { localEffect } from './local-effect.ts';
import { ArgumentHeaders } from './argument-headers.ts';
import { wantsInput } from './questions.ts';
import { modernForm } from './modern-form.ts';
import { legacyAnswer } from './legacy-answer.ts';
import { RunningCalls } from './running-calls.ts';
import { wholeAnswer } from '../server-answer.ts';
import { ParkedQuestions } from './parked-questions.ts';

export interface LegacyToModernOptions {
  readonly clock: Clock;
  readonly mailbox: Mailbox;
  readonly sessions: Pick<LegacySessions, 'amend' | 'resume'>;
}

/** A legacy caller, and the modern upstream it has to do with. */
export interface BridgedLeg {
  readonly upstream: Upstream;
  readonly grant: Grant;
  /** Undefined for a caller without one, which can be neither asked nor told anything. */
  readonly session: LegacySession | undefined;
  /** Headers of every request of this caller: how it is traced, and what the operator passes through. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One request on a leg. */
export interface BridgedRequest {
  readonly request: JsonRpcRequest;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: CancelSignal;
  /** A failure in the words of JSON-RPC, for a stream that has begun. */
  readonly describe: (failure: GatewayError) => JsonRpcErrorBody;
}

/** How long a call waits for its tool to be listed again. */
const RELIST_MS = 10_000;

/** Legacy callers on upstreams that speak the modern era only. */
export class LegacyToModern {
  readonly #clock: Clock;
  readonly #sessions: LegacyToModernOptions['sessions'];
  readonly #parked: ParkedQuestions;
  readonly #running: RunningCalls;
  readonly #argumentHeaders = new ArgumentHeaders();
  /** Open streams by session id. */
  readonly #listening = new Map<string, Set<Listening>>();

  constructor({ clock, mailbox, sessions }: LegacyToModernOptions) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#parked = new ParkedQuestions({ clock, mailbox });
    this.#running = new RunningCalls(mailbox);
  }

  /**
   * One request, answered as a legacy server would: by an answer, or by events that end with it.
   *
   * @throws GatewayError as `Upstream.send`, request_invalid, and what an answer that is none is
   */
  async send(leg: BridgedLeg, { request, signal, describe }: BridgedRequest): Promise<ChannelResponse> {
    const effect = localEffect(request, leg.upstream, leg.session);
    if (effect) {
      if (leg.session) await this.#amend(leg.session, effect);
      return messageResponse({ jsonrpc: '2.0', id: request.id, result: {} });
    }
    const client = clientOf(leg.session);
    const session = leg.session?.state.id;
    const running = this.#running.begin(leg.session?.state, request.id, signal);
    const post = (round: JsonRpcRequest) => this.#post(leg, client, round, running.signal);
    const talk = { clock: this.#clock, parked: this.#parked, client, request, running, session, post, describe };
    const events = (first: ChannelResponse | JsonRpcResponse) =>
      generatedResponse(conversation(talk, first), () => running.abort(signal.reason));
    try {
      let first = await streamOrAnswer(await post(request));
      if (saysHeadersAreStale(request, first)) {
        await leg.upstream.listings.again(leg.grant, 'tools/list', { signal: running.signal, limitMs: RELIST_MS });
        first = await streamOrAnswer(await post(request));
      }
      if (!('jsonrpc' in first) || wantsInput(first)) return events(first);
      running.end();
      return messageResponse(legacyAnswer(request, first));
    } catch (error) {
      running.end();
      if (running.cancelled) return generatedResponse(nothing(), () => undefined);
      throw error;
    }
  }

  /**
   * Takes what a caller says without asking: its answers and its cancellations. The rest means nothing upstream.
   *
   * @throws GatewayError request_invalid for an answer to nothing that was asked, store_unavailable
   */
  async take({ state }: LegacySession, message: JsonRpcNotification | JsonRpcResponse): Promise<void> {
    if (isResponse(message)) return this.#parked.answer(state.id, message);
    const requestId = message.params?.['requestId'];
    if (!isNotification(message) || message.method !== 'notifications/cancelled') return;
    if (typeof requestId === 'string' || typeof requestId === 'number') await this.#running.cancel(state, requestId);
  }

  /** What the upstream says unasked, for as long as `signal` lets it. */
  listen(leg: BridgedLeg & { readonly session: LegacySession }, signal: AbortSignal): ChannelResponse {
    const { upstream, session } = leg;
    const { id, subject, server } = session.state;
    const client = clientOf(session);
    const listening = new Listening(
      {
        clock: this.#clock,
        upstream,
        session: () => this.#sessions.resume(session.token, subject, server),
        listen: (notifications, ends) => {
          const request = { id: newId(), method: 'subscriptions/listen', params: { notifications } };
          return this.#post(leg, client, { jsonrpc: '2.0', ...request }, ends);
        },
        signal,
      },
      () => {
        const open = this.#listening.get(id);
        open?.delete(listening);
        if (open?.size === 0) this.#listening.delete(id);
      },
    );
    this.#listening.set(id, (this.#listening.get(id) ?? new Set()).add(listening));
    return listening.start();
  }

  /** Ends what a session has under way on this instance. */
  end({ state }: LegacySession): void {
    this.#running.cancelAll(state.id);
    for (const listening of this.#listening.get(state.id) ?? []) listening.end();
  }

  async #amend(session: LegacySession, effect: Parameters<LegacySessions['amend']>[1]): Promise<void> {
    const before = session.content;
    if (effect(before) !== before) await this.#sessions.amend(session, effect);
    for (const listening of this.#listening.get(session.state.id) ?? []) listening.changed(session);
  }

  #post(
    { upstream, grant, headers }: BridgedLeg,
    client: LegacyClient,
    request: JsonRpcRequest,
    signal: CancelSignal,
  ): Promise<ChannelResponse> {
    const { method, params } = request;
    const form = modernForm(request, client);
    const tools = upstream.facts?.listing.tools ?? [];
    const mirrored = method === 'tools/call' ? this.#argumentHeaders.of(tools, params) : {};
    return upstream.send(grant, {
      method: 'POST',
      headers: { ...headers, ...form.headers, ...mirrored },
      body: form.body,
      signal,
      mcpMethod: method,
    });
  }
}

const clientOf = (session: LegacySession | undefined): LegacyClient =>
  session ? legacyClientOf(session.state.initialize, session.content.logLevel) : STATELESS_CLIENT;

/**
 * Whether a server missed a header that repeats an argument: its tools have changed since they were listed, and it did
 * not look at the call.
 */
const saysHeadersAreStale = ({ method }: JsonRpcRequest, first: ChannelResponse | JsonRpcResponse): boolean =>
  method === 'tools/call' && 'error' in first && first.error.code === RPC.headerMismatch;

const streamOrAnswer = async (response: ChannelResponse): Promise<ChannelResponse | JsonRpcResponse> =>
  isEventStream(response) ? response : wholeAnswer(response);

/** What a request that was taken back is answered with. */
async function* nothing(): AsyncGenerator<Uint8Array> {}
