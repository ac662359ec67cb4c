import type { Platform } from '../../src/platform.ts';

/** How often a gateway asked its store for something. */
export interface StorageUse {
  reads: number;
  commits: number;
  /** For `startGateway`: the platform with its store counted. */
  readonly wrap: (platform: Platform) => Platform;
}

export function countStorageUse(): StorageUse {
  const use: StorageUse = {
    reads: 0,
    commits: 0,
    wrap: (platform) => {
      const { storage } = platform;
      const { driver } = storage;
      return {
        ...platform,
        storage: {
          ...storage,
          driver: {
            getItem(...asked) {
              use.reads++;
              return driver.getItem(...asked);
            },
            getKeys(...asked) {
              use.reads++;
              return driver.getKeys(...asked);
            },
          },
          commit(changes) {
            use.commits++;
            return storage.commit(changes);
          },
        },
      };
    },
  };
  return use;
}
