import { appendFile, copyFile, mkdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { watchedFolder } from '../../support/watched-folder.ts';

const { at, write, link, watch } = watchedFolder();

interface Kind {
  /** `certs/tls.crt` by default. */
  readonly path?: string;
  readonly before?: () => Promise<unknown>;
  readonly change: () => Promise<unknown>;
}

/** Each leaves `second` in the file. */
const KINDS: Readonly<Record<string, Kind>> = {
  'written in place': { change: () => write('certs/tls.crt', 'second') },
  'copied over in place': {
    before: () => write('store/new', 'second'),
    change: () => copyFile(at('store/new'), at('certs/tls.crt')),
  },
  'moved over': {
    before: () => write('store/new', 'second'),
    change: () => rename(at('store/new'), at('certs/tls.crt')),
  },
  'written beside and renamed, as editors do': {
    change: async () => {
      await write('certs/.tls.crt.swp', 'second');
      await rename(at('certs/tls.crt'), at('certs/tls.crt~'));
      await rename(at('certs/.tls.crt.swp'), at('certs/tls.crt'));
      await unlink(at('certs/tls.crt~'));
    },
  },
  'deleted and made again': {
    change: async () => {
      await unlink(at('certs/tls.crt'));
      await write('certs/tls.crt', 'second');
    },
  },
  'made where there was none': {
    path: 'certs/new.crt',
    change: () => write('certs/new.crt', 'second'),
  },
  'made in folders that were not there': {
    path: 'certs/one/two/new.crt',
    change: async () => {
      await mkdir(at('certs/one/two'), { recursive: true });
      await write('certs/one/two/new.crt', 'second');
    },
  },
  'in a folder that was removed and made again': {
    change: async () => {
      await rm(at('certs'), { recursive: true });
      await mkdir(at('certs'));
      await write('certs/tls.crt', 'second');
    },
  },
  'in a folder that another was put in the place of': {
    before: async () => {
      await mkdir(at('certs-new'));
      await write('certs-new/tls.crt', 'second');
    },
    change: async () => {
      await rename(at('certs'), at('certs-old'));
      await rename(at('certs-new'), at('certs'));
    },
  },
  'below a folder that another was put in the place of': {
    path: 'sets/up/certs/tls.crt',
    before: async () => {
      await mkdir(at('sets/up/certs'), { recursive: true });
      await write('sets/up/certs/tls.crt', 'first');
      await mkdir(at('sets-new/up/certs'), { recursive: true });
      await write('sets-new/up/certs/tls.crt', 'second');
    },
    change: async () => {
      await rename(at('sets'), at('sets-old'));
      await rename(at('sets-new'), at('sets'));
    },
  },
  'a symlink whose target is written': {
    path: 'link.crt',
    before: () => link('certs/tls.crt', 'link.crt'),
    change: () => write('certs/tls.crt', 'second'),
  },
  'a symlink that leads elsewhere now': {
    path: 'link.crt',
    before: async () => {
      await link(at('certs/tls.crt'), 'link.crt');
      await write('store/new', 'second');
    },
    change: async () => {
      await unlink(at('link.crt'));
      await link(at('store/new'), 'link.crt');
    },
  },
  'by a folder that is a symlink, as certbot lays them out': {
    path: 'live/up/tls.crt',
    before: async () => {
      await mkdir(at('live'));
      await link('../store', 'live/up');
      await link('../certs/tls.crt', 'store/tls.crt');
    },
    change: async () => {
      await write('certs/tls2.crt', 'second');
      await link('../certs/tls2.crt', 'store/next');
      await rename(at('store/next'), at('store/tls.crt'));
    },
  },
  'by a path that climbs': {
    path: 'store/../certs/./tls.crt',
    change: () => write('certs/tls.crt', 'second'),
  },
};

describe.each(Object.entries(KINDS))('a file %s', (_name, { path = 'certs/tls.crt', before, change }) => {
  test('is told once, and so is the next change', async () => {
    await before?.();
    // joined by hand, since join would take the climb away
    const watched = `${at('.')}/${path}`;
    const watching = await watch([watched]);
    await change();
    await watching.untilTold(1);
    expect(await readFile(at(path), 'utf8')).toBe('second');
    await appendFile(at(path), ' and more');
    await watching.untilTold(2);
    expect(watching.told).toEqual([[watched], [watched]]);
  });
});
