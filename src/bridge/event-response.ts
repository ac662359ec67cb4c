import type { ChannelResponse } from '../tls/dialer.ts';
import { textResponse } from '../upstream/ready-response.ts';

/**
 * Events that are made as they are read, as the body of a response.
 *
 * @param onLeft called when the reader leaves before the end; has to make `events` end
 */
export function eventResponse(events: AsyncGenerator<Uint8Array>, onLeft: () => void): ChannelResponse {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        onLeft();
        await events.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    text: () => new Response(stream).text(),
    body: () => Promise.resolve(stream),
    stream: () => stream,
  };
}

/** One message as the whole of a response. */
export function messageResponse(message: object): ChannelResponse {
  return textResponse(200, JSON.stringify(message), { 'content-type': 'application/json' });
}
