import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import type { Clock, EventSink, FileWatch, FileWatcher } from '../../../src/index.ts';
import { Burst } from '../burst.ts';
import { createTrailFinder } from './file-trail.ts';
import type { FileTrail } from './file-trail.ts';

export interface FileWatcherOptions {
  readonly clock: Clock;
  readonly events: EventSink;
}

/** Writers pause between the files of a set; a set that never comes to rest is looked at all the same. */
const QUIET_MS = 100;
const LIMIT_MS = 1000;

/** What the system says when it watches no more folders for us at all. */
const LIMITS: ReadonlySet<string> = new Set(['ENOSPC', 'EMFILE', 'ENFILE']);

/** Watches files by the folders they and the symlinks on the way to them are in, one watcher each. */
export function createFileWatcher(options: FileWatcherOptions): FileWatcher {
  return (onChange) => new FolderWatch(options, onChange);
}

interface WatchedFolder {
  readonly watcher: FSWatcher;
  readonly identity: string;
  names: ReadonlySet<string>;
}

interface WantedFolder {
  identity: string;
  readonly names: Set<string>;
  decides: boolean;
}

/**
 * An event says only that something happened by a name that matters; then every path is followed anew, folders on the
 * new way are watched, and what is at its end is compared with what was there before. So it does not matter how a file
 * was replaced, and an event too many costs one look.
 */
class FolderWatch implements FileWatch {
  readonly #events: EventSink;
  readonly #onChange: (paths: readonly string[]) => void;
  readonly #burst: Burst;
  readonly #folders = new Map<string, WatchedFolder>();
  /** Limits that were met, and folders that cannot be watched: told once. */
  readonly #reported = new Set<string>();
  #paths: ReadonlySet<string> = new Set();
  #stamps: ReadonlyMap<string, string> = new Map();
  #lastLook = Promise.resolve();
  #stopped = false;

  constructor({ clock, events }: FileWatcherOptions, onChange: (paths: readonly string[]) => void) {
    this.#events = events;
    this.#onChange = onChange;
    const onEnd = () => void this.#look();
    this.#burst = new Burst({ clock, quietMs: QUIET_MS, limitMs: LIMIT_MS, onEnd });
  }

  watch(paths: Iterable<string>): Promise<void> {
    this.#paths = new Set(paths);
    return this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#burst.cancel();
    for (const folder of this.#folders.keys()) this.#close(folder);
  }

  /** One after the other, so that what an older look found never replaces what a newer one did. */
  #look(): Promise<void> {
    return (this.#lastLook = this.#lastLook.then(() => this.#lookNow()));
  }

  async #lookNow(): Promise<void> {
    const find = createTrailFinder();
    const trails = new Map(await Promise.all([...this.#paths].map(async (path) => [path, await find(path)] as const)));
    if (this.#stopped) return;
    // what changed between looking and watching told nobody
    if (this.#follow(wantedBy(trails.values()))) this.#burst.signal();
    const before = this.#stamps;
    this.#stamps = new Map([...trails].map(([path, { stamp }]) => [path, stamp]));
    const changed = [...trails].filter(([path, { stamp }]) => (before.get(path) ?? stamp) !== stamp);
    if (changed.length > 0) this.#onChange(changed.map(([path]) => path));
  }

  /** Watches these folders and no others; whether one is watched that was not. */
  #follow(wanted: ReadonlyMap<string, WantedFolder>): boolean {
    for (const [folder, { identity }] of this.#folders)
      if (wanted.get(folder)?.identity !== identity) this.#close(folder);
    const opened = [...wanted].map(([folder, { identity, names, decides }]) => {
      const held = this.#folders.get(folder);
      if (held) held.names = names;
      const watcher = held ? undefined : this.#open(folder, decides);
      if (watcher) this.#folders.set(folder, { watcher, identity, names });
      return watcher !== undefined;
    });
    return opened.includes(true);
  }

  #open(folder: string, decides: boolean): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (_kind, name) => this.#heard(folder, name));
      watcher.on('error', () => this.#lost(folder));
      this.#reported.delete(folder);
      return watcher;
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      const isLimit = LIMITS.has(code);
      const isMissed = isLimit || (decides && code !== 'ENOENT');
      if (isMissed) this.#report(isLimit ? code : folder, isLimit ? { code } : { path: folder, code });
      return undefined;
    }
  }

  #report(key: string, fields: { readonly path?: string; readonly code: string }): void {
    if (!this.#reported.has(key)) this.#events('files.unwatched', fields);
    this.#reported.add(key);
  }

  #heard(folder: string, name: string | null): void {
    // told of by its own name, it was moved or removed itself; the next one by this path may even get its number
    if (name === basename(folder)) return this.#lost(folder);
    if (name === null || this.#folders.get(folder)?.names.has(name)) this.#burst.signal();
  }

  #lost(folder: string): void {
    this.#close(folder);
    this.#burst.signal();
  }

  #close(folder: string): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
  }
}

function wantedBy(trails: Iterable<FileTrail>): Map<string, WantedFolder> {
  const wanted = new Map<string, WantedFolder>();
  for (const { folder, identity, name, decides } of [...trails].flatMap(({ steps }) => steps)) {
    const known = wanted.get(folder) ?? { identity, names: new Set<string>(), decides: false };
    known.names.add(name);
    known.decides ||= decides;
    wanted.set(folder, known);
  }
  return wanted;
}
