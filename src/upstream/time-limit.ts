import { Cancellation } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import { SESSION_ID } from '../wire/headers.ts';
import { legacyNotification } from './own-request.ts';
import type { UpstreamRequest } from './transport.ts';

/** The end of a request whose answer has to be complete in time. */
export interface TimeLimit {
  /** Aborts when the time is over, or with the caller's signal. */
  readonly signal: CancelSignal;
  /** The answer is complete, or there will be none. Idempotent. */
  end(): void;
}

/**
 * Gives a request so many milliseconds until its answer has ended.
 *
 * @param caller aborts when nobody waits for the answer any more
 */
export function limitTime(
  clock: Clock,
  limitMs: number,
  caller: CancelSignal | undefined,
  onExpired: () => void,
): TimeLimit {
  const limit = new Cancellation();
  const cancelTimer = clock.after(limitMs, () => {
    limit.abort(new GatewayError('upstream_timeout', `the upstream did not complete its answer within ${limitMs} ms`));
    onExpired();
  });
  const stopFollowing = limit.follow(caller);
  return {
    signal: limit,
    end() {
      cancelTimer();
      stopFollowing();
    },
  };
}

/**
 * What tells a server of the legacy era that nobody waits for an answer any more: there, closing the stream does not.
 * Undefined for a request of the modern era, and for one without a session.
 *
 * @see MCP 2025-11-25, utilities, cancellation
 */
export function cancellationOf({ headers, body = '' }: UpstreamRequest): UpstreamRequest | undefined {
  const session = headers[SESSION_ID];
  const requestId = session === undefined ? undefined : asFields(JSON.parse(body))?.['id'];
  if (requestId === undefined) return undefined;
  const params = { requestId, reason: 'the time for this call is over' };
  const { accept: _, 'content-type': __, ...rest } = headers;
  return legacyNotification('notifications/cancelled', rest, params);
}
