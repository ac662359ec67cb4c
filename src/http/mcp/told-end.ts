import { isEventsAnswer, markedAsEvents } from './answers.ts';

/**
 * An answer whose end is told, once: at once where it is no stream of events, for then it is written by now or as good as.
 *
 * @param onEnd given what a stream broke off with, or `LEFT` where whoever read it went away
 */
export function withToldEnd(answer: Response, onEnd: (failure?: unknown) => void): Response {
  const { body, status, headers } = isEventsAnswer(answer) ? answer : NOTHING;
  if (body !== null) return markedAsEvents(new Response(untilEnd(body, onEnd), { status, headers }));
  onEnd();
  return answer;
}

/** Says that a stream was left before its end. */
export const LEFT = Symbol('left');

const NOTHING = { body: null, status: 200, headers: undefined };

function untilEnd(source: ReadableStream<Uint8Array>, onEnd: (failure?: unknown) => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          onEnd();
          controller.close();
        } catch (error) {
          onEnd(error);
          throw error;
        }
      },
      cancel(reason) {
        onEnd(LEFT);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
