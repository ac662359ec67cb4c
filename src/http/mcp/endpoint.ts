import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { eraOf } from '../../wire/eras.ts';
import { PROTOCOL_VERSION } from '../../wire/headers.ts';
import { parseMessage } from '../../wire/json-rpc.ts';
import type { JsonRpcId, JsonRpcMessage } from '../../wire/json-rpc.ts';
import { errorAnswer } from './answers.ts';
import type { Exchange, McpServices } from './exchange.ts';
import { isCounted, limited } from './limited.ts';
import { legacyPost } from './legacy/legacy-post.ts';
import { endSession, legacyStream } from './legacy/legacy-streams.ts';
import { modernPost } from './modern/modern-post.ts';
import { unambiguous } from './unambiguous.ts';

/**
 * Answers one authorized request to an MCP address; failures become JSON-RPC errors that keep the request's id.
 *
 * @param onFailure told of failures that are the gateway's own fault
 */
export async function answerMcp(
  services: McpServices,
  exchange: Exchange,
  onFailure: (error: GatewayError) => void,
): Promise<Response> {
  let id: JsonRpcId | null = null;
  try {
    const era = eraOf(exchange.request.headers.get(PROTOCOL_VERSION) ?? undefined);
    const { method } = exchange.request;
    if (method === 'POST') {
      const message = parseMessage(exchange.text);
      id = idOf(message);
      exchange.account?.asks(message, exchange.server);
      const clear = unambiguous(exchange, message, services.limiter.looksAtTarget);
      const post = era === 'modern' ? modernPost : legacyPost;
      const answer = () => post(services, clear, message);
      return await (isCounted(services.limiter, message)
        ? limited(services.limiter, clear, message, answer)
        : answer());
    }
    if (era === 'legacy' && method === 'GET') {
      const stream = () => legacyStream(services, exchange);
      return await (isCounted(services.limiter) ? limited(services.limiter, exchange, undefined, stream) : stream());
    }
    if (era === 'legacy' && method === 'DELETE') return await endSession(services, exchange);
    throw new GatewayError('method_not_allowed', `${method} is not used here`);
  } catch (thrown) {
    const error = toGatewayError(thrown);
    exchange.account?.failed(error);
    if (error.facts.actor === 'gateway') onFailure(error);
    return errorAnswer(id, error);
  }
}

const idOf = (message: JsonRpcMessage): JsonRpcId | null =>
  'method' in message && 'id' in message ? message.id : null;
