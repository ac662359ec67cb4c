import { utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { EVENTS_TYPE, JSON_TYPE } from '../wire/media-types.ts';
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

/** One message as the whole of a response. */
export function messageResponse(message: object, status = 200): ChannelResponse {
  return textResponse(status, JSON.stringify(message), { 'content-type': JSON_TYPE });
}

/** A stream of events as the body of a response. */
export function eventsResponse(
  stream: ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): ChannelResponse {
  return {
    status: 200,
    headers: { 'content-type': EVENTS_TYPE, ...headers },
    text: (limitBytes) => readText(stream, limitBytes),
    body: () => Promise.resolve(stream),
    stream: () => stream,
  };
}

/** A refusal as a Streamable HTTP server answers it. */
export function rpcRefusal(status: number, code: number, message: string): ChannelResponse {
  return messageResponse({ jsonrpc: '2.0', id: null, error: { code, message } }, status);
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

async function readText(stream: ReadableStream<Uint8Array>, limitBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new GatewayError('upstream_too_large', `the answer exceeds ${limitBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
