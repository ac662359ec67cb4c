import { GatewayError } from '../../base/errors.ts';
import { readText } from '../read-text.ts';

const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i;

/**
 * The JSON body of a request.
 *
 * @throws GatewayError media_type_unsupported, request_too_large, request_invalid
 */
export async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!JSON_TYPE.test(type))
    throw new GatewayError('media_type_unsupported', 'expected a body of type application/json', {
      hint: 'send the header Content-Type: application/json',
    });
  const text = await readText(request, limitBytes);
  try {
    return JSON.parse(text);
  } catch {
    // without the parser's message: it quotes the body
    throw new GatewayError('request_invalid', 'the body is not JSON');
  }
}
