import { Cancellation } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import type { Mailbox } from '../session/mailbox.ts';
import type { RecordedSession } from '../session/session-records.ts';
import type { JsonRpcId } from '../wire/json-rpc.ts';

/** A request that is under way on this instance. */
export interface RunningCall {
  /** Aborts when the caller left or took the request back. */
  readonly signal: CancelSignal;
  /** True once the caller took the request back; it wants no answer then. */
  readonly cancelled: boolean;
  /** Ends it before it was answered. */
  abort(reason: unknown): void;
  /** It was answered. Idempotent. */
  end(): void;
}

/**
 * What may still be taken back: in the legacy era that is said in a message of its own, which names the request and may
 * arrive at any instance.
 *
 * @see MCP 2025-11-25, utilities, cancellation
 */
export class RunningCalls {
  readonly #mailbox: Pick<Mailbox, 'namedAddress' | 'post' | 'wait'>;
  /** By session and request id; one request may run at several upstreams. */
  readonly #running = new Map<string, Set<() => void>>();

  constructor(mailbox: Pick<Mailbox, 'namedAddress' | 'post' | 'wait'>) {
    this.#mailbox = mailbox;
  }

  /** How many requests are under way. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * @param session undefined for a caller without one, which cannot take anything back
   * @param caller aborts when nobody waits for the answer any more
   */
  begin(session: RecordedSession | undefined, id: JsonRpcId, caller: CancelSignal): RunningCall {
    const key = callKey(session?.id ?? '', id);
    const cancellation = new Cancellation();
    const ended = new Cancellation();
    let cancelled = false;
    const end = () => {
      caller.removeEventListener('abort', onGone);
      const calls = this.#running.get(key);
      calls?.delete(cancel);
      if (calls?.size === 0) this.#running.delete(key);
      ended.abort(undefined);
    };
    const abort = (reason: unknown) => {
      cancellation.abort(reason);
      end();
    };
    const cancel = () => {
      cancelled = true;
      abort(new GatewayError('call_cancelled', 'the caller cancelled the request'));
    };
    const onGone = () => abort(caller.reason);
    this.#running.set(key, (this.#running.get(key) ?? new Set()).add(cancel));
    caller.addEventListener('abort', onGone, { once: true });
    if (caller.aborted) onGone();
    // while the store is gone nothing can be taken back elsewhere; the call itself goes on
    if (session) void this.#cancelledElsewhere(session, id, ended).then(cancel, () => undefined);
    return {
      signal: cancellation,
      get cancelled() {
        return cancelled;
      },
      abort,
      end,
    };
  }

  /** Takes a request back, on whichever instance it runs. @throws GatewayError store_unavailable */
  async cancel(session: RecordedSession, id: JsonRpcId): Promise<void> {
    const here = this.#running.get(callKey(session.id, id));
    for (const cancel of here ?? []) cancel();
    if (here === undefined) await this.#mailbox.post(await this.#addressOf(session, id), session.id, '');
  }

  /** Takes back everything of a session that runs here. */
  cancelAll(session: string): void {
    for (const [key, calls] of this.#running) if (key.startsWith(`${session} `)) for (const cancel of calls) cancel();
  }

  async #cancelledElsewhere(session: RecordedSession, id: JsonRpcId, ended: CancelSignal): Promise<void> {
    await this.#mailbox.wait(await this.#addressOf(session, id), ended);
  }

  #addressOf({ id: session, expiresAtMs }: RecordedSession, id: JsonRpcId): Promise<string> {
    return this.#mailbox.namedAddress(session, `cancel ${JSON.stringify(id)}`, expiresAtMs);
  }
}

const callKey = (session: string, id: JsonRpcId): string => `${session} ${JSON.stringify(id)}`;
