import type { Clock } from '../../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../../base/errors.ts';
import type { EventSink } from '../../../base/events.ts';
import type { Incoming } from '../../access.ts';
import type { AnswerMcp } from '../address.ts';
import type { Admission } from '../admission.ts';
import { MESSAGE_BYTES } from './pipe-answer.ts';
import { sendInside } from './send-inside.ts';
import { MessagePipe } from './message-pipe.ts';
import type { FindServer } from '../servers.ts';
import type { AcceptedSocket, MessageSocket } from './socket-port.ts';

export interface SocketOptions {
  readonly answer: AnswerMcp;
  readonly admission: Admission;
  readonly clock: Clock;
  /** Aborts when the gateway is about to stop. */
  readonly draining: AbortSignal;
  readonly events: EventSink;
}

/** What a connection is closed with. */
interface Ending {
  readonly code: number;
  readonly error: GatewayError;
}

const SUBPROTOCOL = 'mcp';
/** How a page passes its token, since browsers send no Authorization with an upgrade. */
const BEARER_PREFIX = 'bearer.';
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
const LOST_CREDENTIALS = new Set(['unauthenticated', 'token_expired']);

/**
 * Decides whether a caller may open a WebSocket to a server.
 *
 * WebSocket is no transport of the MCP specification: one text frame carries one message, as SDK clients have it.
 *
 * @throws GatewayError unauthenticated, token_expired, forbidden, not_found, shutting_down
 */
export async function acceptSocket(
  upgrade: Incoming,
  find: FindServer,
  options: SocketOptions,
): Promise<AcceptedSocket> {
  const offered = (upgrade.request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
  const incoming = { ...upgrade, request: withToken(upgrade.request, offered) };
  await options.admission.enter(incoming, find);
  options.draining.throwIfAborted();
  return {
    subprotocol: offered.includes(SUBPROTOCOL) ? SUBPROTOCOL : undefined,
    maxMessageBytes: MESSAGE_BYTES,
    serve: (socket) => serve(socket, incoming, find, options),
  };
}

function withToken(upgrade: Request, offered: readonly string[]): Request {
  const token = offered.find((name) => name.startsWith(BEARER_PREFIX))?.slice(BEARER_PREFIX.length);
  if (token === undefined || upgrade.headers.has('authorization')) return upgrade;
  const headers = new Headers(upgrade.headers);
  headers.set('authorization', `Bearer ${token}`);
  headers.delete('sec-websocket-protocol');
  return new Request(upgrade.url, { headers });
}

async function serve(
  socket: MessageSocket,
  incoming: Incoming,
  find: FindServer,
  options: SocketOptions,
): Promise<void> {
  const { answer, clock, draining, events } = options;
  const ended = Promise.withResolvers<Ending>();
  const pipe = new MessagePipe({
    send: sendInside(answer, find, () => incoming),
    deliver: (text) => socket.send(text),
    clock,
    onFailure: (error) => {
      if (LOST_CREDENTIALS.has(error.code)) ended.resolve({ code: POLICY_VIOLATION, error });
    },
  });
  const drain = (): void => {
    const error = new GatewayError('shutting_down', 'the gateway is about to stop');
    void pipe.finish().then(() => ended.resolve({ code: GOING_AWAY, error }));
  };
  draining.addEventListener('abort', drain, { once: true });
  if (draining.aborted) drain();
  const ending = await Promise.race([ended.promise, takeAll(socket, pipe)]).catch((thrown: unknown) => {
    const error = toGatewayError(thrown);
    events('request.failed', { code: error.code, message: error.message, path: '/ws' });
    return { code: INTERNAL_ERROR, error };
  });
  draining.removeEventListener('abort', drain);
  await pipe.close(ending.error);
  socket.close(ending.code, ending.error.message.slice(0, 100));
}

async function takeAll({ messages }: MessageSocket, pipe: MessagePipe): Promise<Ending> {
  for await (const text of messages) await pipe.take(text);
  return { code: GOING_AWAY, error: new GatewayError('call_cancelled', 'the caller closed its connection') };
}
