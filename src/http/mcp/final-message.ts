import { GatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { isResponse, messageIn } from '../../wire/json-rpc.ts';
import type { JsonRpcResponse } from '../../wire/json-rpc.ts';
import { isEventStream } from '../../wire/media-types.ts';
import { pickEvent } from '../../wire/sse.ts';
import { assertRelayable } from './relayed-answer.ts';

const ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * The answer in an upstream's response, JSON or the last message of a stream; what comes before it is passed over.
 *
 * @throws GatewayError upstream_protocol when there is none, upstream_too_large, and as `assertRelayable`
 */
export async function finalMessage(response: ChannelResponse): Promise<JsonRpcResponse> {
  assertRelayable(response);
  if (isEventStream(response)) {
    const answer = await pickEvent(response.stream(), ({ data }) => {
      const message = data ? messageIn(data) : undefined;
      return message && isResponse(message) ? message : undefined;
    });
    if (answer) return answer;
    throw new GatewayError('upstream_protocol', 'the upstream ended its stream without an answer');
  }
  const text = await response.text(ANSWER_BYTES);
  const message = messageIn(text);
  if (!message || !isResponse(message))
    throw new GatewayError(
      'upstream_protocol',
      `the upstream answered status ${response.status} without a JSON-RPC answer`,
    );
  return message;
}
