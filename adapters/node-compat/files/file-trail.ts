import type { BigIntStats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, sep } from 'node:path';

/** A folder on the way to a file, and the name in it that leads on. */
export interface TrailStep {
  /** Without a symlink in it. */
  readonly folder: string;
  /** Another folder by the same path has another one, unless the one before was removed. */
  readonly identity: string;
  readonly name: string;
  /** Whether the name is a symlink, the file itself, or missing, and no folder that is only passed through. */
  readonly decides: boolean;
}

/** The way to a file through every folder and symlink, as far as it leads. */
export interface FileTrail {
  readonly steps: readonly TrailStep[];
  /** Of what is at the end; a file that may read differently has another one, and so has one that is not there. */
  readonly stamp: string;
}

type Look = (path: string) => Promise<Found>;
type Found = { readonly stats: BigIntStats; readonly target: string | undefined } | { readonly code: string };

/** As many as Linux follows. */
const MAX_LINKS = 40;
const SEPARATOR = sep === '/' ? '/' : /[\\/]/;

/** Follows paths; folders that several of them share are looked at once. */
export function createTrailFinder(): (path: string) => Promise<FileTrail> {
  const seen = new Map<string, Promise<Found>>();
  const look: Look = (path) => {
    const found = seen.get(path) ?? lookAt(path);
    seen.set(path, found);
    return found;
  };
  return (path) => follow(isAbsolute(path) ? path : process.cwd() + sep + path, look);
}

async function follow(path: string, look: Look): Promise<FileTrail> {
  const steps: TrailStep[] = [];
  let { root: folder, names } = partsOf(path);
  let stamp = '';
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    const [above, found] = await Promise.all([look(folder), look(join(folder, name))]);
    const isFolder = 'stats' in found && found.stats.isDirectory();
    steps.push({ folder, identity: 'stats' in above ? identityOf(above.stats) : '', name, decides: !isFolder });
    if ('code' in found) return { steps, stamp: found.code };
    const { stats, target } = found;
    stamp = stampOf(stats);
    if (target !== undefined) {
      if (++links > MAX_LINKS) return { steps, stamp: 'ELOOP' };
      const ahead = partsOf(target);
      names = [...ahead.names, ...names];
      if (ahead.root !== '') folder = ahead.root;
    } else if (isFolder) folder = join(folder, name);
    else if (names.length > 0) return { steps, stamp: 'ENOTDIR' };
  }
  return { steps, stamp };
}

function partsOf(path: string): { root: string; names: string[] } {
  const { root } = parse(path);
  return { root, names: path.slice(root.length).split(SEPARATOR) };
}

async function lookAt(path: string): Promise<Found> {
  try {
    const stats = await lstat(path, { bigint: true });
    return { stats, target: stats.isSymbolicLink() ? await readlink(path) : undefined };
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

const identityOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** The time of the last change of mode, owner or name counts: who may read it is part of how it reads. */
const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
