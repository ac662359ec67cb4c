import { Cancellation } from '../../base/cancel-signal.ts';
import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { requestStateExpired } from './request-state.ts';
import type { WaitingCall } from './waiting-call.ts';

export interface WaitingRoomOptions {
  readonly clock: Clock;
  /** Calls that may wait in all; default 2,000. */
  readonly maxCount?: number;
  /** Calls of one subject that may wait; the one that waits longest gives way to a new one. Default 32. */
  readonly maxPerSubjectCount?: number;
}

/** How long a caller, often a person, has to answer. */
export const PARKED_MS = 600_000;
const MAX_COUNT = 2_000;
const MAX_PER_SUBJECT_COUNT = 32;

interface Waiting {
  readonly call: WaitingCall;
  readonly subject: string;
  readonly left: Cancellation;
  readonly stopWaiting: () => void;
}

/** Calls that wait in the memory of this instance: so many, so long. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  /** By id, those that wait longest first. */
  readonly #waiting = new Map<string, Waiting>();
  #closed = false;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  /** Calls that wait. */
  get count(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a call in; the signal aborts when it has left, whyever. One that is refused is ended.
   *
   * @throws GatewayError bridge_busy, shutting_down
   */
  async admit(id: string, call: WaitingCall, subject: string): Promise<CancelSignal> {
    const { clock, maxCount = MAX_COUNT } = this.#options;
    if (this.#closed) return refuse(call, new GatewayError('shutting_down', 'the gateway is about to stop'));
    this.#makeRoom(subject);
    if (this.#waiting.size >= maxCount)
      return refuse(call, new GatewayError('bridge_busy', `${maxCount} calls wait for their callers already`));
    const left = new Cancellation();
    const stopWaiting = clock.after(PARKED_MS, () => void this.#end(id, requestStateExpired()));
    this.#waiting.set(id, { call, subject, left, stopWaiting });
    return left;
  }

  /** A call, which waits here no longer; undefined when it does not wait here. */
  take(id: string): WaitingCall | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#remove(id, waiting);
    return waiting.call;
  }

  /** Ends every call that waits, and takes no more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const reason = new GatewayError('shutting_down', 'the gateway is about to stop');
    await Promise.all([...this.#waiting.keys()].map((id) => this.#end(id, reason)));
  }

  #makeRoom(subject: string): void {
    const own = [...this.#waiting].filter(([, waiting]) => waiting.subject === subject);
    const [oldest] = own;
    if (oldest && own.length >= (this.#options.maxPerSubjectCount ?? MAX_PER_SUBJECT_COUNT))
      void this.#end(oldest[0], requestStateExpired());
  }

  async #end(id: string, reason: GatewayError): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#remove(id, waiting);
    await waiting.call.cancel(reason);
  }

  #remove(id: string, { left, stopWaiting }: Waiting): void {
    stopWaiting();
    this.#waiting.delete(id);
    left.abort(requestStateExpired());
  }
}

async function refuse(call: WaitingCall, reason: GatewayError): Promise<never> {
  await call.cancel(reason);
  throw reason;
}
