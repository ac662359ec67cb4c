import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../src/base/ids.ts';
import type { StorageDriver } from '../../src/store/driver.ts';

/** What a store told one who watches. */
export interface WatchedStore {
  /** Keys in the order they were told, without the markers of `settled`. */
  readonly told: string[];
  readonly links: boolean[];
  /** Resolves once telling works (again), or no longer does. */
  link(up: boolean): Promise<void>;
  /** Resolves once everything was told that was committed before, through whichever connection. */
  settled(): Promise<void>;
  stop(): void;
}

const MARKER = 'meta:marker';

export function watchStore(storage: StorageDriver): WatchedStore {
  const told: string[] = [];
  const links: boolean[] = [];
  const markers = new Set<string>();
  const onChange = (keys: readonly string[]): void => {
    if (keys.length === 0) told.push('a commit of nothing');
    for (const key of keys) if (key.startsWith(MARKER)) markers.add(key);
    told.push(...keys.filter((key) => !key.startsWith(MARKER)));
  };
  const stop = storage.watch?.(onChange, (up) => void links.push(up));
  if (!stop) throw new TypeError(`expected a store that tells, met ${storage.name}`);
  return {
    told,
    links,
    async link(up) {
      while (links.at(-1) !== up) await delay(5);
    },
    async settled() {
      // commits are told in their order
      const key = `${MARKER}${newId()}`;
      await storage.commit([{ key, value: '{}' }]);
      while (!markers.has(key)) await delay(2);
      await storage.commit([{ key, value: null }]);
    },
    stop,
  };
}
