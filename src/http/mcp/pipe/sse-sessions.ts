import { utf8 } from '../../../base/bytes.ts';
import type { CancelSignal } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import { parseMessage } from '../../../wire/json-rpc.ts';
import { sseMessage } from '../../../wire/sse.ts';
import type { Incoming } from '../../access.ts';
import { readText } from '../../read-text.ts';
import type { AnswerMcp } from '../address.ts';
import type { Admission } from '../admission.ts';
import { acceptedAnswer, eventsAnswer } from '../answers.ts';
import { EventFunnel } from '../event-funnel.ts';
import type { McpServices } from '../exchange.ts';
import { MESSAGE_BYTES } from './pipe-answer.ts';
import { sendInside } from './send-inside.ts';
import { MessagePipe } from './message-pipe.ts';
import type { FindServer } from '../servers.ts';

export interface SseOptions extends Pick<McpServices, 'clock' | 'draining'> {
  readonly answer: AnswerMcp;
  readonly admission: Admission;
}

interface SseSession {
  readonly subject: string;
  /** Key of the virtual server it is for. */
  readonly server: string;
  readonly pipe: MessagePipe;
  /** What the caller last came with. */
  latest: Incoming;
}

/**
 * The transport before Streamable HTTP: GET opens an event stream, POST to the address it begins with sends. A session
 * is its stream, so it lives and dies on the instance that holds the stream.
 *
 * @see MCP 2024-11-05, transports, HTTP with SSE
 */
export class SseSessions {
  readonly #options: SseOptions;
  readonly #sessions = new Map<string, SseSession>();

  constructor(options: SseOptions) {
    this.#options = options;
  }

  /**
   * Opens a stream.
   *
   * @param messages path messages are to be posted to
   * @throws GatewayError unauthenticated, token_expired, forbidden, not_found, method_not_allowed, shutting_down
   */
  async open(incoming: Incoming, find: FindServer, messages: string, signal: CancelSignal): Promise<Response> {
    const { request } = incoming;
    if (request.method !== 'GET') throw new GatewayError('method_not_allowed', 'this address opens a stream by GET');
    const { answer, admission, clock, draining } = this.#options;
    const { principal, server } = await admission.enter(incoming, find);
    draining.throwIfAborted();
    const funnel = new EventFunnel(this.#options);
    const pipe = new MessagePipe({
      send: sendInside(answer, find, () => session.latest),
      deliver: (text) => funnel.write(sseMessage(text)),
      clock,
    });
    const session: SseSession = { subject: principal.subject, server: server.key, pipe, latest: incoming };
    const id = newId();
    this.#sessions.set(id, session);
    void funnel.write(utf8(`event: endpoint\ndata: ${messages}?sessionId=${id}\n\n`));
    void this.#untilOver(pipe, funnel, signal).then(async () => {
      this.#sessions.delete(id);
      await pipe.close(new GatewayError('call_cancelled', 'the caller closed its event stream'));
      funnel.end();
    });
    return eventsAnswer(funnel.stream);
  }

  /**
   * Takes one message for an open stream of the same caller; what answers it comes on the stream.
   *
   * @throws GatewayError unauthenticated, token_expired, forbidden, not_found, method_not_allowed, session_not_found,
   *   request_invalid, request_too_large, too_many_requests
   */
  async post(incoming: Incoming, find: FindServer, signal: CancelSignal): Promise<Response> {
    const { request } = incoming;
    if (request.method !== 'POST') throw new GatewayError('method_not_allowed', 'this address takes messages by POST');
    const { principal, server } = await this.#options.admission.enter(incoming, find);
    const id = new URL(request.url).searchParams.get('sessionId') ?? '';
    const session = this.#sessions.get(id);
    if (session?.subject !== principal.subject || session.server !== server.key) throw notHere();
    const text = await readText(request, MESSAGE_BYTES, signal);
    parseMessage(text);
    if (session.pipe.isFull)
      throw new GatewayError('too_many_requests', 'too many requests of this stream are in flight');
    // its body was read; what is kept are the headers
    session.latest = incoming;
    void session.pipe.take(text);
    return acceptedAnswer();
  }

  /** Resolves when the caller left, or when the gateway stops and everything asked before is answered. */
  #untilOver(pipe: MessagePipe, funnel: EventFunnel, signal: CancelSignal): Promise<void> {
    const { draining } = this.#options;
    return new Promise((resolve) => {
      const leave = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      funnel.stopped.addEventListener('abort', () => (draining.aborted ? void pipe.finish().then(leave) : leave()));
      if (signal.aborted) leave();
    });
  }
}

/** The reasons are not told apart, so that a stolen id teaches nothing. */
const notHere = (): GatewayError =>
  new GatewayError(
    'session_not_found',
    'this caller has no event stream with this sessionId here; such a session lives on the instance that holds its stream',
    { hint: 'open the stream again, or use Streamable HTTP at /mcp, where any instance serves any session' },
  );
