import { Cancellation } from '../../base/cancel-signal.ts';
import type { CancelSignal } from '../../base/cancel-signal.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Mailbox } from '../../session/mailbox.ts';
import type { RecordedSession } from '../../session/session-records.ts';
import type { JsonRpcId } from '../../wire/json-rpc.ts';

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

/** One request, at every upstream where it runs. */
interface Running {
  readonly cancels: Set<() => void>;
  /** Aborts once it runs nowhere any more. */
  readonly ended: Cancellation;
}

/**
 * Each stands in the store as long as its session may live, so a caller who cancels what never ran must not fill it.
 * Beyond that such a request just goes on.
 */
const MAX_POSTED = 256;

/**
 * What may still be taken back: in the legacy era that is said in a message of its own, which names the request and may
 * arrive at any instance.
 *
 * @see MCP 2025-11-25, utilities, cancellation
 */
export class RunningCalls {
  readonly #mailbox: Pick<Mailbox, 'namedAddress' | 'post' | 'wait'>;
  /** By session and request id. */
  readonly #running = new Map<string, Running>();
  /** Cancellations of a session that went into the store. */
  readonly #posted = new WeakMap<RecordedSession, number>();

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
    const running = this.#running.get(key) ?? this.#listen(key, session, id);
    const cancellation = new Cancellation();
    let cancelled = false;
    const end = () => {
      caller.removeEventListener('abort', onGone);
      running.cancels.delete(cancel);
      if (running.cancels.size > 0) return;
      if (this.#running.get(key) === running) this.#running.delete(key);
      running.ended.abort(undefined);
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
    running.cancels.add(cancel);
    caller.addEventListener('abort', onGone, { once: true });
    if (caller.aborted) onGone();
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
    if (here) return cancelEverywhere(here);
    const posted = this.#posted.get(session) ?? 0;
    if (posted >= MAX_POSTED) return;
    this.#posted.set(session, posted + 1);
    await this.#mailbox.post(await this.#addressOf(session, id), session.id, '');
  }

  /** Takes back everything of a session that runs here. */
  cancelAll(session: string): void {
    for (const [key, running] of this.#running) if (key.startsWith(`${session} `)) cancelEverywhere(running);
  }

  /** Begins to look out for a cancellation that arrives at another instance. */
  #listen(key: string, session: RecordedSession | undefined, id: JsonRpcId): Running {
    const running: Running = { cancels: new Set(), ended: new Cancellation() };
    this.#running.set(key, running);
    // while the store is gone nothing can be taken back elsewhere; the call itself goes on
    if (session)
      void this.#cancelledElsewhere(session, id, running.ended).then(
        () => cancelEverywhere(running),
        () => undefined,
      );
    return running;
  }

  async #cancelledElsewhere(session: RecordedSession, id: JsonRpcId, ended: CancelSignal): Promise<void> {
    await this.#mailbox.wait(await this.#addressOf(session, id), ended);
  }

  #addressOf({ id: session, expiresAtMs }: RecordedSession, id: JsonRpcId): Promise<string> {
    return this.#mailbox.namedAddress(session, `cancel ${JSON.stringify(id)}`, expiresAtMs);
  }
}

function cancelEverywhere({ cancels }: Running): void {
  for (const cancel of cancels) cancel();
}

const callKey = (session: string, id: JsonRpcId): string => `${session} ${JSON.stringify(id)}`;
