import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { mirroredName } from '../../wire/envelope.ts';
import { MODERN_VERSION } from '../../wire/eras.ts';
import { encodeName, METHOD, NAME, PROTOCOL_VERSION } from '../../wire/headers.ts';
import type { JsonRpcId, JsonRpcRequest } from '../../wire/json-rpc.ts';
import { envelopeOf } from './legacy-client.ts';
import type { LegacyClient } from './legacy-client.ts';

/** A request as it goes out in the modern era; what else its headers say comes from elsewhere. */
export interface ModernForm {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A legacy caller's request in the modern era: the same method and parameters, with the envelope in `_meta` (where the
 * caller's progress token stays) and routing in headers.
 *
 * @see MCP 2026-07-28, transports, Streamable HTTP
 */
export function modernForm(
  { id, method, params }: Pick<JsonRpcRequest, 'id' | 'method' | 'params'>,
  client: LegacyClient,
): ModernForm {
  const name = mirroredName({ method, ...(params && { params }) });
  const _meta = { ...asFields(params?.['_meta']), ...envelopeOf(client) };
  return {
    headers: {
      [PROTOCOL_VERSION]: MODERN_VERSION,
      [METHOD]: encodeName(method),
      ...(name !== undefined && { [NAME]: encodeName(name) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }),
  };
}

/** The request a further round repeats, under an id of its own, with what the caller answered. */
export function retried(
  request: JsonRpcRequest,
  round: number,
  inputResponses: Fields | undefined,
  requestState: unknown,
): JsonRpcRequest {
  const id: JsonRpcId = `${request.id}.${round}`;
  const params = {
    ...request.params,
    ...(inputResponses && { inputResponses }),
    ...(requestState !== undefined && { requestState }),
  };
  return { ...request, id, params };
}
