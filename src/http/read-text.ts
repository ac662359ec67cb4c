import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import { untilAborted } from '../upstream/deadline.ts';

/**
 * A request's body as text, refused as soon as it is known to exceed `limitBytes`.
 *
 * @param signal aborts when the caller left; default is the request's own
 * @throws GatewayError request_too_large; call_cancelled when the caller left before its end
 */
export async function readText(request: Request, limitBytes: number, signal?: CancelSignal): Promise<string> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > limitBytes) throw tooLarge(limitBytes)();
  try {
    if (declared !== null) return await request.text();
    // a body whose sender left may never end: Node 22 does not tell its stream
    return request.body
      ? await untilAborted(textWithin(request.body, limitBytes, tooLarge(limitBytes)), signal ?? request.signal)
      : '';
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('call_cancelled', 'the request ended before its body was complete', { cause });
  }
}

/** A body as text. @throws what `tooLarge` makes as soon as the body exceeds `limitBytes` */
export async function textWithin(
  body: ReadableStream<Uint8Array>,
  limitBytes: number,
  tooLarge: () => GatewayError,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let readBytes = 0;
  for await (const chunk of body) {
    readBytes += chunk.byteLength;
    if (readBytes > limitBytes) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const tooLarge = (limitBytes: number) => () =>
  new GatewayError('request_too_large', `the body exceeds ${limitBytes} bytes`);
