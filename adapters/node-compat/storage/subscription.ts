import { setTimeout as delay } from 'node:timers/promises';
import type { OnChange, OnLink } from '../../../src/index.ts';
import { Watchers } from './watchers.ts';

/** What one connection that listens is given. */
export interface Listening {
  /** Called with the keys of each commit. */
  readonly tell: OnChange;
  /** Called once nothing committed from now on is missed. */
  readonly up: () => void;
  /** Aborts when nobody wants to be told any more; the connection ends then. */
  readonly signal: AbortSignal;
}

/**
 * Listens over one connection, until it is lost (by resolving or rejecting) or ended. `refused` says that the store is
 * there and does not let us listen.
 */
export type Listen = (listening: Listening) => Promise<'refused' | void>;

const HEARTBEAT_MS = 2_000;
const ANSWER_MS = 3_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const REFUSED_PAUSE_MS = 60_000;

/** One subscription for all who watch a store: held while somebody does, begun again whenever it was lost. */
export class Subscription {
  readonly #listen: Listen;
  readonly #watchers = new Watchers(false);
  #stopping: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(listen: Listen) {
    this.#listen = listen;
  }

  readonly watch = (onChange: OnChange, onLink: OnLink): (() => void) => {
    const remove = this.#watchers.add(onChange, onLink);
    if (!this.#stopping && this.#watchers.size > 0) {
      const stopping = new AbortController();
      this.#stopping = stopping;
      // one after the other, so that the end of an earlier one says nothing about this one
      this.#running = this.#running.then(() => this.#run(stopping.signal));
    }
    return () => {
      remove();
      if (this.#watchers.size === 0) this.#stop();
    };
  };

  /** Resolves once no connection is left; idempotent. */
  async close(): Promise<void> {
    this.#watchers.close();
    this.#stop();
    await this.#running;
  }

  #stop(): void {
    this.#stopping?.abort();
    this.#stopping = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const tell: OnChange = (keys) => {
      if (!signal.aborted) this.#watchers.tell(keys);
    };
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      let upAtMs: number | undefined;
      const up = (): void => {
        upAtMs = performance.now();
        if (!signal.aborted) this.#watchers.link(true);
      };
      // why it was lost says the next command of the store
      const end = await this.#listen({ tell, up, signal }).catch(() => undefined);
      this.#watchers.link(false);
      const stood = upAtMs !== undefined && performance.now() - upAtMs > LONGEST_PAUSE_MS;
      if (end === 'refused') pauseMs = REFUSED_PAUSE_MS;
      else pauseMs = stood ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

/** Asks a peer every 2 s whether it is there, since one that is lost may never say so; rejects once it is not, or `over`. */
export async function heedHeartbeat(ask: () => Promise<unknown>, over: AbortSignal): Promise<never> {
  for (;;) {
    await delay(HEARTBEAT_MS, undefined, { signal: over, ref: false });
    const silence = delay(ANSWER_MS, 'silent', { signal: over, ref: false });
    const answer = await Promise.race([ask(), silence]);
    if (answer === 'silent') throw new Error(`no answer within ${ANSWER_MS} ms`);
  }
}
