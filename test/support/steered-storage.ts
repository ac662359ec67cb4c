import { openMemory } from '../../adapters/node-compat/storage/memory.ts';
import type { OnLink, StorageDriver } from '../../src/store/driver.ts';
import { storeUnavailable } from '../../src/store/unavailable.ts';

/** A store in memory of which a test decides whether it answers and whether it tells. */
export interface SteeredStorage {
  readonly storage: StorageDriver;
  /** How often records were read. */
  reads: number;
  /** While true, everything fails. */
  gone: boolean;
  /** While false, nothing is told, and nobody is told that. */
  tells: boolean;
  /** Ends telling, or begins it again, and says so. */
  link(up: boolean): void;
}

/** The same store, as one without push. */
export const withoutPush = (storage: StorageDriver): StorageDriver => ({
  name: storage.name,
  shared: storage.shared,
  driver: storage.driver,
  commit: (changes) => storage.commit(changes),
  close: () => storage.close(),
});

export function openSteeredStorage(): SteeredStorage {
  const memory = openMemory();
  const { driver } = memory;
  const watchers = new Set<OnLink>();
  const guard = <T>(work: () => T): T => {
    if (steered.gone) throw storeUnavailable('memory', 'gone');
    return work();
  };
  const steered: SteeredStorage = {
    reads: 0,
    gone: false,
    tells: true,
    link(up) {
      steered.tells = up;
      for (const onLink of watchers) onLink(up);
    },
    storage: {
      ...memory,
      driver: {
        getItem: async (...asked) => {
          steered.reads++;
          return guard(() => driver.getItem(...asked));
        },
        getKeys: async (...asked) => guard(() => driver.getKeys(...asked)),
      },
      commit: async (changes) => guard(() => memory.commit(changes)),
      watch(onChange, onLink) {
        watchers.add(onLink);
        const stop = memory.watch?.((keys) => steered.tells && onChange(keys), onLink);
        return () => {
          watchers.delete(onLink);
          stop?.();
        };
      },
    },
  };
  return steered;
}
