import type { Clock } from '../base/clock.ts';
import type { ListingMethod } from '../wire/mcp.ts';

/** What a stream that tells of changes tells. */
export interface WatchListener {
  /** From here on changes of these listings are told; what was read before may have missed some. */
  opened(methods: readonly ListingMethod[]): void;
  changed(methods: readonly ListingMethod[]): void;
}

/** How a stream ended: `refused` when the upstream does not offer any, so that asking again is pointless. */
export type WatchEnd = 'ended' | 'refused';

/** Opens a stream and follows it to its end. May throw: then it ended. */
export type FollowChanges = (listener: WatchListener, signal: AbortSignal) => Promise<WatchEnd>;

export interface WatchOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1), for back-off jitter. */
  readonly random: () => number;
  readonly follow: FollowChanges;
  readonly listener: WatchListener;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A stream that stood so long ends for reasons of its own, such as a server's time limit: the pause starts anew. */
const STEADY_MS = 30_000;

/**
 * Keeps one stream open on which an upstream says that its listings changed: opened again with back-off when it ends,
 * let go of when the upstream refuses it. While it stands, no timer runs.
 */
export class ListingWatch {
  readonly #options: WatchOptions;
  #covered: ReadonlySet<ListingMethod> = new Set();
  #running: AbortController | undefined;
  #isWanted = false;
  #isRefused = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Whether changes of a listing are being told. */
  covers(method: ListingMethod): boolean {
    return this.#covered.has(method);
  }

  /** Opens the stream, unless it is open, being opened, or was refused. */
  start(): void {
    this.#isWanted = true;
    if (this.#running !== undefined || this.#isRefused) return;
    this.#running = new AbortController();
    void this.#run(this.#running);
  }

  /** Ends the stream, until `start`. */
  stop(): void {
    this.#isWanted = false;
    this.#end();
  }

  /** Opens the stream anew where one is wanted: it belongs to a session or a connection that is gone. */
  restart(): void {
    if (!this.#isWanted) return;
    this.#end();
    this.start();
  }

  /** Lets the next `start` ask an upstream again that refused. */
  forgetRefusal(): void {
    this.#isRefused = false;
  }

  #end(): void {
    this.#covered = new Set();
    this.#isRefused = false;
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(running: AbortController): Promise<void> {
    const { clock, random } = this.#options;
    for (let failures = 0; !running.signal.aborted; failures++) {
      const startedMs = clock.monotonicMs();
      const end = await this.#follow(running.signal);
      if (running.signal.aborted) return;
      this.#covered = new Set();
      if (end === 'refused') {
        this.#isRefused = true;
        this.#running = undefined;
        return;
      }
      if (clock.monotonicMs() - startedMs >= STEADY_MS) failures = 0;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
      // between half and all of the pause, so that gateways that lost a server together do not return together
      await pause(clock, pauseMs * (0.5 + random() / 2), running.signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<WatchEnd> {
    const { follow, listener } = this.#options;
    const current: WatchListener = {
      opened: (methods) => {
        if (signal.aborted) return;
        this.#covered = new Set(methods);
        listener.opened(methods);
      },
      changed: (methods) => {
        if (!signal.aborted) listener.changed(methods);
      },
    };
    try {
      return await follow(current, signal);
    } catch {
      // how the connection failed was reported by the way it was sent over
      return 'ended';
    }
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
