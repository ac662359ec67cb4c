import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { pause } from '../../base/pause.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { discard } from '../../upstream/own-request.ts';
import { isEventStream } from '../../wire/media-types.ts';
import { sseEvents } from '../../wire/sse.ts';
import type { SseEvent } from '../../wire/sse.ts';

export interface Resumption {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether what the stream was for has come. */
  readonly isDone: () => boolean;
  /** Asks for what follows the event; undefined where the server gave none an id. */
  readonly reopen: (lastEventId: string | undefined) => Promise<ChannelResponse>;
  /** Whether the stream is of use also without what was said while it was closed; default no. */
  readonly reopensWithoutId?: boolean;
}

const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** Streams in a row that break at once and without an event, before the server is taken to have given up. */
const MAX_BARREN_COUNT = 5;
/** A stream that lasted this long was not refused. */
const LASTING_MS = 10_000;

/**
 * Every event of a stream that its server may end and go on with elsewhere, to spare connections, or that is lost.
 *
 * @see MCP 2025-11-25, transports, Resumability and Redelivery; SEP-1699
 */
export async function* resumedEvents(first: ChannelResponse, options: Resumption): AsyncGenerator<SseEvent> {
  const { clock, signal, isDone, reopen, reopensWithoutId = false } = options;
  let response = first;
  let lastEventId: string | undefined;
  let retryMs = RETRY_MS;
  const mayReopen = (): boolean => reopensWithoutId || lastEventId !== undefined;
  for (let barren = 1; ; barren++) {
    const openedMs = clock.monotonicMs();
    try {
      for await (const event of sseEvents(response.stream())) {
        lastEventId = event.id ?? lastEventId;
        retryMs = Math.min(event.retryMs ?? retryMs, LONGEST_RETRY_MS);
        if (event.data) barren = 0;
        yield event;
      }
    } catch (error) {
      if (isDone() || !mayReopen() || !isLoss(error)) throw error;
    }
    if (clock.monotonicMs() - openedMs >= LASTING_MS) barren = 0;
    if (isDone() || barren === MAX_BARREN_COUNT || !mayReopen()) return;
    await pause(clock, retryMs, signal);
    if (isDone() || signal.aborted) return;
    response = await reopen(lastEventId);
    if (!isEventStream(response)) return discard(response);
  }
}

const isLoss = (error: unknown): boolean => error instanceof GatewayError && error.code === 'connection_lost';
