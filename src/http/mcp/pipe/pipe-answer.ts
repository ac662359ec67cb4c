import { ERRORS, GatewayError } from '../../../base/errors.ts';
import type { ErrorCode } from '../../../base/errors.ts';
import { asFields } from '../../../base/fields.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { isResponse, messageIn } from '../../../wire/json-rpc.ts';
import type { JsonRpcMessage, JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { sseEvents } from '../../../wire/sse.ts';

/** The longest message a pipe carries, in either direction. */
export const MESSAGE_BYTES = 16 * 1024 * 1024;

/** An answer to a request of a pipe: its head, and its body to be read in one of two ways. */
export type PipeAnswer = Pick<ChannelResponse, 'status' | 'headers' | 'text' | 'stream'>;

/** Takes one message and the text it came in; resolves when the next may come. */
export type TakeMessage = (message: JsonRpcMessage, text: string) => Promise<void>;

/** Where an event stream stood when it ended. */
export class Cursor {
  lastEventId: string | undefined;
  /** How long the server wants to be left alone before the stream is opened again. */
  retryMs: number | undefined;
  /** How often the stream ended since an event last came. */
  failures = 0;
}

/**
 * Hands on every message of an event stream, in order, each when the one before was taken; events that are no messages
 * are passed over. Resolves at the stream's end.
 *
 * @throws the failure of the stream; the reason of `signal`, which closes it
 */
export async function readEvents(
  answer: PipeAnswer,
  cursor: Cursor,
  signal: AbortSignal,
  take: TakeMessage,
): Promise<void> {
  const stream = answer.stream().pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
  for await (const { id, data, retryMs } of sseEvents(stream)) {
    cursor.failures = 0;
    if (id !== undefined) cursor.lastEventId = id;
    cursor.retryMs = retryMs ?? cursor.retryMs;
    const message = data ? messageIn(data) : undefined;
    if (message && data) await take(message, data);
  }
}

/** What an answer without an MCP message in it says, as far as its body tells. */
export function refusalOf({ status, headers }: PipeAnswer, text: string): GatewayError {
  const told = problemIn(text);
  if (told) return told;
  if (status === 401) return new GatewayError('unauthenticated', 'the server refused the credentials with status 401');
  if (status === 403) return new GatewayError('forbidden', 'the server refused the request with status 403');
  if (status >= 300 && status < 400)
    return new GatewayError('upstream_redirect', `the server redirects (status ${status}), which is never followed`);
  if (status >= 500) return new GatewayError('upstream_http_status', `the server failed with status ${status}`);
  const type = headers['content-type']?.slice(0, 80) ?? 'no content type';
  return new GatewayError('upstream_protocol', `expected an MCP answer, met status ${status} with ${type}`, {
    hint: 'check the path of the address',
  });
}

/** The error in problem details of a Postern gateway. */
function problemIn(text: string): GatewayError | undefined {
  let problem: unknown;
  try {
    problem = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { code, message, hint } = asFields(problem) ?? {};
  if (typeof code !== 'string' || typeof message !== 'string' || !Object.hasOwn(ERRORS, code)) return undefined;
  // looked up in the table above
  return new GatewayError(code as ErrorCode, message, typeof hint === 'string' ? { hint } : {});
}

/**
 * The response in the answer to a request of the pipe's own; other messages of a stream go to `take`.
 *
 * @throws GatewayError what `refusalOf` says of an answer without one
 */
export async function responseIn(answer: PipeAnswer, signal: AbortSignal, take: TakeMessage): Promise<JsonRpcResponse> {
  let response: JsonRpcResponse | undefined;
  if (isEventStream(answer)) {
    await readEvents(answer, new Cursor(), signal, async (message, text) => {
      if (isResponse(message)) response = message;
      else await take(message, text);
    });
    if (response) return response;
    throw new GatewayError('upstream_protocol', 'the server ended its stream without an answer');
  }
  const text = await answer.text(MESSAGE_BYTES);
  const message = messageIn(text);
  if (message && isResponse(message)) return message;
  throw refusalOf(answer, text);
}

/** Reads a body nobody needs, so that its connection can be used again. */
export async function skip(answer: PipeAnswer): Promise<void> {
  if (isEventStream(answer)) await answer.stream().cancel();
  else await answer.text(MESSAGE_BYTES);
}
