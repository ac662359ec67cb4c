import { GatewayError } from '../base/errors.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { refusalOf } from '../upstream/own-request.ts';
import { isNotification, isResponse, messageIn } from '../wire/json-rpc.ts';
import type { JsonRpcResponse } from '../wire/json-rpc.ts';
import { isEventStream } from '../wire/media-types.ts';
import { readRest, sseMessage, SseParser } from '../wire/sse.ts';

/** The longest answer in one piece, which has to be read whole to be translated. */
const ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * The answer in a response; notifications that come before it pass as events. Requests do not: in the modern era a
 * server has no business sending any.
 *
 * @throws GatewayError upstream_protocol, upstream_auth_refused, upstream_redirect, upstream_http_status,
 * upstream_too_large, and what ends a body early
 */
export async function* answerIn(response: ChannelResponse): AsyncGenerator<Uint8Array<ArrayBuffer>, JsonRpcResponse> {
  if (!isEventStream(response)) return wholeAnswer(response);
  const parser = new SseParser();
  const reader = response.stream().getReader();
  let answer: JsonRpcResponse | undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new GatewayError('upstream_protocol', 'the upstream ended its stream without an answer');
      for (const { data } of parser.push(value)) {
        const message = data ? messageIn(data) : undefined;
        if (message === undefined) continue;
        if (isResponse(message)) return (answer = message);
        if (data && isNotification(message)) yield sseMessage(data);
      }
    }
  } finally {
    if (answer) readRest(reader).catch(() => undefined);
    else await reader.cancel().catch(() => undefined);
  }
}

/** The answer in a response that is no stream. @throws GatewayError as `answerIn` */
export async function wholeAnswer(response: ChannelResponse): Promise<JsonRpcResponse> {
  const { status, headers } = response;
  const refusal = refusalOf({ status, headers });
  if (refusal && status < 500) throw refusal;
  const text = await response.text(ANSWER_BYTES);
  const message = messageIn(text);
  if (message && isResponse(message)) return message;
  throw refusal ?? new GatewayError('upstream_protocol', `the upstream answered status ${status} without MCP`);
}
