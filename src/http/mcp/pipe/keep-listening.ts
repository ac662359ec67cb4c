import type { Clock } from '../../../base/clock.ts';
import { toGatewayError } from '../../../base/errors.ts';
import type { GatewayError } from '../../../base/errors.ts';
import { pause } from '../../../base/pause.ts';
import { isEventStream } from '../../../wire/media-types.ts';
import { Cursor, MESSAGE_BYTES, readEvents, refusalOf, skip } from './pipe-answer.ts';
import type { PipeAnswer, TakeMessage } from './pipe-answer.ts';

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
/** Statuses that may be others later: not now, too fast, or the server has not noticed that the last stream broke. */
const PASSING = new Set([408, 409, 425, 429]);

export interface Listening {
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Asks for the stream, from after an event on where one is named. */
  readonly open: (lastEventId: string | undefined) => Promise<PipeAnswer>;
  /** Opens a session in the place of the one the server lost; false when there was none. */
  readonly renew: () => Promise<boolean>;
  readonly take: TakeMessage;
  /** Told why the stream could not be opened, each time. */
  readonly onFailure: (error: GatewayError) => void;
}

/**
 * Follows the stream on which a server speaks unasked, opening it again where it left off whenever it breaks, until
 * the server says that it has none. Never rejects.
 *
 * @see MCP 2025-11-25, transports, Listening for Messages from the Server
 */
export async function keepListening({ clock, signal, open, renew, take, onFailure }: Listening): Promise<void> {
  const cursor = new Cursor();
  while (!signal.aborted) {
    try {
      const answer = await open(cursor.lastEventId);
      if (isEventStream(answer)) await readEvents(answer, cursor, signal, take);
      else if (answer.status === 404) {
        await skip(answer);
        cursor.lastEventId = undefined;
        if (!(await renew())) return;
      } else if (answer.status === 405) return await skip(answer);
      else {
        onFailure(refusalOf(answer, await answer.text(MESSAGE_BYTES)));
        if (answer.status < 500 && !PASSING.has(answer.status)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      onFailure(toGatewayError(error));
    }
    await untilRetry(clock, cursor, signal);
  }
}

/** Waits before a stream is asked for again: as told, and longer each time nothing came, with jitter. */
export async function untilRetry(clock: Clock, cursor: Cursor, signal: AbortSignal): Promise<void> {
  const doubled = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(cursor.failures++, 6));
  const delayMs = Math.max(cursor.retryMs ?? 0, doubled * (0.5 + Math.random() / 2));
  await pause(clock, delayMs, signal);
}
