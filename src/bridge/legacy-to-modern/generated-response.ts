import type { ChannelResponse } from '../../tls/dialer.ts';
import { eventsResponse } from '../../upstream/ready-response.ts';

/**
 * Events that are made as they are read, as the body of a response.
 *
 * @param onLeft called when the reader leaves before the end; has to make `events` end
 */
export function generatedResponse(events: AsyncGenerator<Uint8Array>, onLeft: () => void): ChannelResponse {
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
  return eventsResponse(stream);
}
