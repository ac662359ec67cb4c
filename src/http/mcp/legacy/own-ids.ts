import { GatewayError } from '../../../base/errors.ts';
import { isFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import type { ChannelResponse } from '../../../tls/dialer.ts';
import { utf8 } from '../../../base/bytes.ts';
import { isEventStream, isJson } from '../../../wire/media-types.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { isNestedTooDeep } from '../../../wire/nesting.ts';
import { eventBlock, rewrittenEvents } from './event-tags.ts';

interface OwnIds {
  /** The request under the gateway's id and progress token. */
  readonly text: string;
  /** The upstream's response with the caller's id and progress token back in place. */
  restore(response: ChannelResponse): ChannelResponse;
}

/**
 * A request as it travels in a session that several callers share: under an id of the gateway's own, since callers
 * choose theirs without knowing of each other; likewise its progress token.
 */
export function withOwnIds(request: JsonRpcRequest, ownId: number): OwnIds {
  const meta = request.params?.['_meta'] as Fields | undefined;
  const token = meta?.['progressToken'];
  const params = token === undefined ? request.params : { ...request.params, _meta: { ...meta, progressToken: ownId } };
  const restoreMessage = (text: string): string => {
    const message = parseAnswer(text);
    if ('method' in message) return JSON.stringify(withToken(message, ownId, token));
    return message['id'] === ownId ? JSON.stringify({ ...message, id: request.id }) : text;
  };
  return {
    text: JSON.stringify({ ...request, id: ownId, ...(params && { params }) }),
    restore: (response) => restored(response, restoreMessage),
  };
}

/** @throws GatewayError upstream_protocol */
function parseAnswer(text: string): Fields {
  const answer = parsed(text);
  if (isFields(answer)) return answer;
  throw new GatewayError('upstream_protocol', 'the upstream answered with something that is no JSON-RPC message');
}

const isMessage = (data: string): boolean => isFields(parsed(data));

function parsed(text: string): unknown {
  try {
    return isNestedTooDeep(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withToken(notification: Fields, ownToken: number, token: unknown): Fields {
  const params = notification['params'] as Fields | undefined;
  return params?.['progressToken'] === ownToken
    ? { ...notification, params: { ...params, progressToken: token } }
    : notification;
}

function restored(response: ChannelResponse, restoreMessage: (text: string) => string): ChannelResponse {
  const { status, headers } = response;
  // what is no message is the client's to judge: the stream goes on
  const restoreEvent = (data: string): string => (isMessage(data) ? restoreMessage(data) : data);
  if (!isEventStream(response) && !isJson(response)) return response;
  if (isEventStream(response)) {
    const stream = () =>
      rewrittenEvents(response.stream(), (event) =>
        event.data ? eventBlock({ ...event, data: restoreEvent(event.data) }) : event.raw,
      );
    return {
      status,
      headers,
      stream,
      text: (limitBytes) => response.text(limitBytes),
      body: () => Promise.resolve(stream()),
    };
  }
  const text = async (limitBytes: number) => restoreMessage(await response.text(limitBytes));
  return {
    status,
    headers,
    text,
    body: () => text(ANSWER_BYTES),
    stream: () =>
      new ReadableStream({
        async start(controller) {
          controller.enqueue(utf8(await text(ANSWER_BYTES)));
          controller.close();
        },
      }),
  };
}

/** A shared answer is parsed to put the id back, so it is bounded. */
const ANSWER_BYTES = 64 * 1024 * 1024;
