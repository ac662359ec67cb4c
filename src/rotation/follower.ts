import type { Clock } from '../base/clock.ts';
import type { FileWatch, FileWatcher } from '../platform.ts';
import type { RecordStore } from '../store/records.ts';
import type { Instances, InstanceState } from './instances.ts';
import { LEASE_MS } from './instances.ts';
import type { Rotation } from './rotation.ts';
import type { StoreLink } from './store-link.ts';

export interface FollowerOptions {
  readonly rotation: Rotation;
  readonly records: RecordStore;
  readonly instances: Instances;
  readonly store: StoreLink;
  readonly clock: Clock;
  /** Milliseconds between two looks at the store; a store that pushes is looked at as seldom, in case a push is lost. */
  readonly pollMs: number;
  /** This instance, among others of its fleet. */
  readonly id: string;
  /** For people: host and process. */
  readonly name: string;
  readonly vaultKeys: () => readonly string[];
  /** Undefined where files cannot be watched. */
  readonly watchFiles: FileWatcher | undefined;
  /** Uniform in [0, 1), so that instances do not look all at once; default Math.random. */
  readonly random?: () => number;
}

/** Everything is read anew so often, for what no watcher saw and for certificates that came of age. */
const RECHECK_MS = 60_000;
const HEARTBEAT_MS = LEASE_MS / 3;
const JITTER = 0.2;

/** Keeps an instance at the stored generation while it serves, and says so to the others. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #timers = new Map<string, () => void>();
  #unwatch: (() => void) | undefined;
  #files: FileWatch | undefined;
  #said = '';
  #saying: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** From here on the stored generation is followed, and the files. */
  start(): void {
    const { rotation, records, pollMs, watchFiles } = this.#options;
    rotation.follow(() => this.#tell());
    const come = (): void => void rotation.come();
    this.#unwatch = records.watch(
      ({ kind }) => {
        if (kind === 'generation') come();
      },
      // what was not told is looked for; and a store that is gone is soon known to be
      come,
    );
    this.#files = watchFiles?.(() => void rotation.recheck());
    this.#every('poll', pollMs, () => this.#poll());
    this.#every('recheck', RECHECK_MS, () => this.#recheck());
    this.#every('heartbeat', HEARTBEAT_MS, () => this.acknowledge(true));
    this.#tell();
  }

  /** Every instance of the fleet; none while the store is gone. Never rejects. */
  async fleet(): Promise<readonly InstanceState[]> {
    await this.acknowledge();
    const { store, instances } = this.#options;
    return (await store.attempt(() => instances.list())) ?? [];
  }

  /** Says how far this instance is, where that is news or a lease is to be renewed. Never rejects. */
  acknowledge(isDue = false): Promise<void> {
    this.#saying = this.#saying.then(() => this.#acknowledge(isDue));
    return this.#saying;
  }

  /** Follows no longer, and takes this instance off the list. Never rejects. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unwatch?.();
    this.#files?.stop();
    for (const cancel of this.#timers.values()) cancel();
    await this.#saying;
    const { store, instances, id } = this.#options;
    if (this.#said !== '') await store.attempt(() => instances.leave(id), 'write');
  }

  #tell(): void {
    void this.#files?.watch(this.#options.rotation.files);
    void this.acknowledge();
  }

  async #poll(): Promise<void> {
    const { rotation } = this.#options;
    await rotation.come();
    rotation.settle();
    await this.acknowledge();
  }

  async #recheck(): Promise<void> {
    const { rotation, store, instances } = this.#options;
    await rotation.recheck();
    await store.attempt(() => instances.sweep());
  }

  #every(name: string, intervalMs: number, task: () => Promise<void>): void {
    const { clock, random = Math.random } = this.#options;
    if (this.#stopped) return;
    const delayMs = intervalMs * (1 - JITTER + 2 * JITTER * random());
    const cancel = clock.after(delayMs, () => void task().finally(() => this.#every(name, intervalMs, task)));
    this.#timers.set(name, cancel);
  }

  async #acknowledge(isDue: boolean): Promise<void> {
    if (this.#unwatch === undefined || this.#stopped) return;
    const { rotation, instances, store, id, name, vaultKeys } = this.#options;
    const { generation, inForce, inForceAtMs, problems } = rotation.status;
    const at = new Date(inForceAtMs).toISOString();
    const said = { name, generation: inForce, seen: generation?.number ?? 0, at, problems, vaultKeys: vaultKeys() };
    const text = JSON.stringify(said);
    if (!isDue && text === this.#said) return;
    await store.attempt(async () => {
      await instances.acknowledge(id, said);
      this.#said = text;
    }, 'write');
  }
}
