import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { ProcessSpawner } from '../../platform.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { eraOf } from '../../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../wire/headers.ts';
import { isRequest, parseMessage, type JsonRpcResponse } from '../../wire/json-rpc.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { finished, rpcRefusal, textResponse } from '../ready-response.ts';
import { StdioConversation } from './stdio-conversation.ts';
import { StartBackOff } from './start-back-off.ts';
import { StdioModern } from './stdio-modern.ts';
import { ownQuestion } from './stdio-question.ts';
import type { TransportRequest, UpstreamTransport } from '../transport.ts';
import type { EventLabel, StdioTarget } from '../upstream-config.ts';

export interface StdioOptions {
  readonly target: StdioTarget;
  readonly spawner: ProcessSpawner;
  /** How many processes callers' sessions may have at once. */
  readonly maxSessions: number;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly label: EventLabel;
}

/** How long a program may take to start and to answer initialize; some are downloaded first. */
const START_MS = 20_000;
/** How long a session may lie idle before its process is ended. */
const IDLE_MS = 30 * 60_000;
/** How long a session must have been idle to make room for another one. */
const SPARE_MS = 60_000;

/**
 * A program in the manner of Streamable HTTP. A process can have one conversation only, so each legacy session has a
 * process of its own, and its caller is never taken for another; the gateway's shared session has one too. Requests of
 * the modern era stand by themselves: they share one process, under ids of ours.
 */
export class Stdio implements UpstreamTransport {
  readonly kind = 'stdio';
  readonly #options: StdioOptions;
  readonly #sessions = new Map<string, StdioConversation>();
  /** Callers' sessions, those being opened included. */
  #sessionCount = 0;
  readonly #modern: StdioModern;
  /** One for each era: a program may end over questions of the other one. */
  readonly #sessionStarts: StartBackOff;
  /** What is ending, so that closing waits for it. */
  readonly #ending = new Set<Promise<void>>();
  #stopSweeping: (() => void) | undefined;
  #closed = false;

  constructor(options: StdioOptions) {
    this.#options = options;
    this.#sessionStarts = new StartBackOff(options.clock);
    const modernStarts = new StartBackOff(options.clock);
    this.#modern = new StdioModern(
      () => this.#start('many', modernStarts, () => undefined),
      (conversation, reason) => this.#end(conversation, reason),
    );
  }

  async send(request: TransportRequest): Promise<ChannelResponse> {
    const { method, headers } = request;
    if (eraOf(headers[PROTOCOL_VERSION]) === 'modern') return this.#modern.send(request);
    const sessionId = headers[SESSION_ID];
    if (sessionId === undefined) {
      if (request.mcpMethod === 'initialize') return this.#initialize(request);
      return finished(request, rpcRefusal(400, -32000, 'a session id is required'));
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return finished(request, rpcRefusal(404, -32001, 'session not found'));
    if (method === 'POST') return post(session, request);
    if (method === 'GET')
      return session.listen(request) ?? finished(request, rpcRefusal(409, -32000, 'a stream is open already'));
    this.#end(session, new GatewayError('session_not_found', 'the session was ended by its client'));
    return finished(request, textResponse(200, ''));
  }

  /** Ends every process; resolves when none is left. */
  async close(reason: GatewayError): Promise<void> {
    this.#closed = true;
    this.#stopSweeping?.();
    for (const session of this.#sessions.values()) this.#end(session, reason);
    await this.#modern.close(reason);
    await Promise.all(this.#ending);
  }

  async #initialize(request: TransportRequest): Promise<ChannelResponse> {
    const message = parseMessage(request.body ?? '');
    if (!isRequest(message)) return finished(request, rpcRefusal(400, RPC.invalidRequest, 'initialize is a request'));
    const isShared = request.shared === true;
    if (!isShared) this.#makeRoom();
    const session = await this.#openSession(isShared);
    try {
      const onAnswer = (answer: JsonRpcResponse): void => {
        if ('error' in answer) this.#end(session, new GatewayError('session_not_found', 'initialize was refused'));
      };
      const headers = { [SESSION_ID]: session.id };
      const question = { ...ownQuestion(message, request.body ?? ''), headers, onAnswer, limitMs: START_MS };
      return await session.ask(request, question);
    } catch (error) {
      this.#end(session, toGatewayError(error));
      throw error;
    }
  }

  async #openSession(isShared: boolean): Promise<StdioConversation> {
    const slots = isShared ? 0 : 1;
    this.#sessionCount += slots;
    const onEnded = (session: StdioConversation) => {
      this.#sessionCount -= slots;
      this.#sessions.delete(session.id);
    };
    try {
      const session = await this.#start(isShared ? 'many' : 'one', this.#sessionStarts, onEnded);
      this.#sessions.set(session.id, session);
      this.#stopSweeping ??= this.#sweepLater();
      return session;
    } catch (error) {
      this.#sessionCount -= slots;
      throw error;
    }
  }

  /** @throws GatewayError process_limit_reached */
  #makeRoom(): void {
    const { maxSessions } = this.#options;
    if (this.#sessionCount < maxSessions) return;
    const callers = [...this.#sessions.values()].filter(({ audience }) => audience === 'one');
    const [spare] = callers.toSorted((a, b) => b.idleMs - a.idleMs);
    if (spare && spare.idleMs >= SPARE_MS)
      return this.#end(spare, new GatewayError('session_not_found', 'the session made room for another one'));
    throw new GatewayError('process_limit_reached', `each of ${maxSessions} sessions with this server is in use`, {
      hint: 'every legacy session has a process of its own; POSTERN_STDIO_MAX_PROCESSES says how many there may be',
      details: { maxSessions },
    });
  }

  async #start(
    audience: 'one' | 'many',
    starts: StartBackOff,
    onEnded: (conversation: StdioConversation) => void,
  ): Promise<StdioConversation> {
    starts.admit();
    const { target, spawner, clock, events, label } = this.#options;
    const { command, args, cwd } = target;
    const secrets = Object.values(target.env);
    const env = Object.fromEntries(Object.entries(target.env).map(([name, secret]) => [name, secret.reveal()]));
    const program = await spawner.open({ command, args, env, cwd });
    const conversation = new StdioConversation(program, {
      audience,
      secrets,
      clock,
      events,
      label,
      onEnded(ended) {
        if (ended.hasAnswered) starts.succeeded();
        else if (ended.ended?.facts.actor === 'upstream') starts.failed(ended.ended);
        onEnded(ended);
      },
    });
    if (!this.#closed) return conversation;
    this.#end(conversation, closedError());
    throw closedError();
  }

  #end(conversation: StdioConversation, reason: GatewayError): void {
    const ended = conversation.close(reason).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #sweepLater(): () => void {
    return this.#options.clock.after(IDLE_MS / 2, () => {
      this.#stopSweeping = undefined;
      for (const session of this.#sessions.values())
        if (session.idleMs >= IDLE_MS)
          this.#end(session, new GatewayError('session_not_found', 'the session lay idle'));
      if (this.#sessions.size > 0) this.#stopSweeping = this.#sweepLater();
    });
  }
}

/** A message of the caller a session belongs to. */
async function post(session: StdioConversation, request: TransportRequest): Promise<ChannelResponse> {
  const text = request.body ?? '';
  const message = parseMessage(text);
  if (isRequest(message)) return session.ask(request, ownQuestion(message, text));
  session.tell(text);
  return finished(request, textResponse(202, ''));
}

const closedError = (): GatewayError => new GatewayError('channel_closed', 'this upstream was closed');
