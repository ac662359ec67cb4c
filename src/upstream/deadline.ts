import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';

/** The GatewayError an aborted signal stands for: its reason, or that the caller went away. */
export function abortError(signal: CancelSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError('call_cancelled', 'the caller ended the request before the upstream answered');
}

/** Anything thrown while `signal` could end the work, as a GatewayError. */
export function gatewayErrorOf(thrown: unknown, signal: CancelSignal | undefined): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return signal?.aborted ? abortError(signal) : toGatewayError(thrown);
}

/** The outcome of `work`, or the failure of `signal` if that comes first; `work` itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Runs `work` with a signal that ends it after `timeoutMs`, or with `signal`.
 *
 * @throws GatewayError upstream_timeout, call_cancelled, and what `work` throws
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  signal: CancelSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const cancel = clock.after(timeoutMs, () =>
    timer.abort(new GatewayError('upstream_timeout', `the upstream did not answer within ${timeoutMs} ms`)),
  );
  const combined = signal === undefined ? timer.signal : AbortSignal.any([abortSignalOf(signal), timer.signal]);
  try {
    return await untilAborted(work(combined), combined);
  } finally {
    cancel();
  }
}
