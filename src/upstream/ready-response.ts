import { utf8 } from '../base/bytes.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import type { TransportRequest } from './transport.ts';

const REFUSAL_BYTES = 64 * 1024;

/** A response whose body is at hand. */
export function textResponse(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): ChannelResponse {
  return {
    status,
    headers,
    text: () => Promise.resolve(text),
    body: () => Promise.resolve(text),
    stream: () =>
      new ReadableStream({
        start(controller) {
          if (text !== '') controller.enqueue(utf8(text));
          controller.close();
        },
      }),
  };
}

/** A refusal as a Streamable HTTP server answers it. */
export function rpcRefusal(status: number, code: number, message: string): ChannelResponse {
  const text = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } });
  return textResponse(status, text, { 'content-type': 'application/json' });
}

/** A response with its body read; a body too long for a refusal is left out. */
export async function readResponse(response: ChannelResponse): Promise<ChannelResponse> {
  const text = await response.body(REFUSAL_BYTES);
  if (typeof text === 'string') return textResponse(response.status, text, response.headers);
  await text.cancel();
  return textResponse(response.status, '');
}

/** The response, its end reported: what is at hand cannot fail any more. */
export function finished(request: TransportRequest, response: ChannelResponse): ChannelResponse {
  request.onEnd?.(undefined);
  return response;
}
