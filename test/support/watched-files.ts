import { watch } from 'node:fs';
import { createFileWatcher } from '../../adapters/node-compat/files/file-watcher.ts';
import type { FileWatch } from '../../src/platform.ts';
import { ManualClock } from './manual-clock.ts';
import { recordEvents } from './recorded-events.ts';
import type { RecordedEvents } from './recorded-events.ts';
import { until } from './until.ts';

/** A file watcher whose time a test lets pass. */
export interface WatchedFiles extends FileWatch {
  readonly clock: ManualClock;
  readonly events: RecordedEvents;
  /** What was told, one list of paths per call. */
  readonly told: (readonly string[])[];
  /** Lets time pass until the watcher waits for nothing and has looked at everything. */
  settle(): Promise<void>;
  /** Lets time pass whenever the watcher waits, until it told `count` times, and settles. */
  untilTold(count: number): Promise<void>;
}

/** As long as the watcher waits for quiet. */
export const QUIET_MS = 100;

/** Starts one for `paths`; stop it. */
export async function watchFiles(paths: Iterable<string>): Promise<WatchedFiles> {
  const clock = new ManualClock();
  const events = recordEvents();
  const told: (readonly string[])[] = [];
  const watching = createFileWatcher({ clock, events: events.sink })((changed) => void told.push(changed));
  let watched = paths;
  const files: WatchedFiles = {
    clock,
    events,
    told,
    async watch(replacing) {
      watched = replacing;
      await watching.watch(replacing);
    },
    stop: () => watching.stop(),
    async settle() {
      do {
        clock.advance(clock.pending > 0 ? QUIET_MS : 0);
        // looks that were due or under way run before this one
        await watching.watch(watched);
      } while (clock.pending > 0);
    },
    async untilTold(count) {
      await until(() => {
        clock.advance(clock.pending > 0 ? QUIET_MS : 0);
        return told.length >= count;
      });
      await files.settle();
    },
  };
  await files.watch(paths);
  await files.settle();
  return files;
}

/** Runs `change`; resolves once an event by this name in the folder reached whoever watched the folder before. */
export async function heard(folder: string, name: string, change: () => Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const witness = watch(folder, (_kind, heardName) => {
    if (heardName === name) resolve();
  });
  try {
    await change();
    await promise;
  } finally {
    witness.close();
  }
}
