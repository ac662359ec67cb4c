import { fromUtf8, utf8 } from '../../base/bytes.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';
import { failureOf } from './answers.ts';

/** Ends what the upstream may have left unfinished, so that the message after it stands alone. */
const BLOCK_END = '\n\n';
const EVENT_ID = /^id:/m;

/**
 * The answer to a request as an event stream that, should it break off, says so in a JSON-RPC error: a caller would
 * wait for its answer otherwise until its own patience ends. One with event ids breaks off as it is, since its caller
 * can resume it.
 *
 * @see MCP 2025-11-25, transports, Resumability and Redelivery
 */
export function withBreakTold(source: ReadableStream<Uint8Array>, id: JsonRpcId): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let first: Uint8Array | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        first ??= value;
        controller.enqueue(value);
      } catch (thrown) {
        if (first && EVENT_ID.test(fromUtf8(first))) throw thrown;
        controller.enqueue(utf8(`${BLOCK_END}event: message\ndata: ${JSON.stringify(failureOf(id, thrown))}\n\n`));
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
