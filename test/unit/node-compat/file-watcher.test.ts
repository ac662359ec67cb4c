import { chmod, mkdir, readFile, rename, unlink } from 'node:fs/promises';
import { relative } from 'node:path';
import { expect, test } from 'vitest';
import { writeVolume } from '../../support/kubernetes-volume.ts';
import { heard, QUIET_MS } from '../../support/watched-files.ts';
import type { WatchedFiles } from '../../support/watched-files.ts';
import { watchedFolder } from '../../support/watched-folder.ts';

const folder = watchedFolder();
const { at, write, link } = folder;
let watching: WatchedFiles;
const watch = async (...paths: string[]) => (watching = await folder.watch(paths.map(at)));
const told = () => watching.told.map((paths) => paths.map((path) => relative(at('.'), path)));

test('a file that goes is told, and so is one that may be read by others than before', async () => {
  await watch('certs/tls.crt', 'certs/tls.key');
  await chmod(at('certs/tls.key'), 0o600);
  await watching.untilTold(1);
  await unlink(at('certs/tls.crt'));
  await watching.untilTold(2);
  expect(told()).toEqual([['certs/tls.key'], ['certs/tls.crt']]);
});

test('a volume of Kubernetes is told whole at each update, with one call', async () => {
  const names = ['tls.crt', 'tls.key', 'ca.crt'];
  const payload = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
  await writeVolume(at('volume'), payload('0'));
  const paths = names.map((name) => `volume/${name}`);
  await watch(...paths);
  for (const update of [1, 2, 3]) {
    await writeVolume(at('volume'), payload(String(update)));
    await watching.untilTold(update);
    expect(await readFile(at('volume/tls.key'), 'utf8')).toBe(String(update));
  }
  expect(told()).toEqual([paths, paths, paths]);
});

test('a key and a certificate written one after the other are one call, once it is quiet', async () => {
  await watch('certs/tls.crt', 'certs/tls.key');
  await heard(at('certs'), 'tls.key', () => write('certs/tls.key', 'second'));
  watching.clock.advance(QUIET_MS - 1);
  await heard(at('certs'), 'tls.crt', () => write('certs/tls.crt', 'second'));
  watching.clock.advance(QUIET_MS - 1);
  expect(watching.clock.pending).toBe(1);
  await watching.untilTold(1);
  expect(told()).toEqual([['certs/tls.crt', 'certs/tls.key']]);
});

test('a thousand writes are few calls, and none of them is the last', async () => {
  await watch('certs/tls.crt');
  for (let index = 1; index <= 1000; index++) {
    const once = () => write('certs/tls.crt', 'x'.repeat(index));
    await (index % 100 === 0 ? heard(at('certs'), 'tls.crt', once) : once());
    watching.clock.advance(3);
  }
  expect(watching.told.length).toBeGreaterThan(0);
  expect(watching.told.length).toBeLessThanOrEqual(3);
  await watching.settle();
  const before = watching.told.length;
  await write('certs/tls.crt', 'last');
  await watching.untilTold(before + 1);
});

test('what is written again without a change of the file, and what lies beside it, is not told', async () => {
  await link('certs/tls.crt', 'link.crt');
  await watch('link.crt');
  await heard(at('certs'), 'tls.key', () => write('certs/tls.key', 'second'));
  expect(watching.clock.pending).toBe(0);
  await link('certs/tls.crt', 'link.tmp');
  await heard(at('.'), 'link.crt', () => rename(at('link.tmp'), at('link.crt')));
  expect(watching.clock.pending).toBe(1);
  await watching.settle();
  expect(watching.told).toEqual([]);
});

test('a set that is replaced is watched from then on, the files before are not', async () => {
  await write('store/ca.pem', 'first');
  await watch('certs/tls.crt', 'certs/tls.key');
  await watching.watch([at('certs/tls.key'), at('store/ca.pem')]);
  await watching.settle();
  await heard(at('certs'), 'tls.crt', () => write('certs/tls.crt', 'second'));
  expect(watching.clock.pending).toBe(0);
  await write('store/ca.pem', 'second');
  await watching.untilTold(1);
  await write('certs/tls.key', 'second');
  await watching.untilTold(2);
  expect(told()).toEqual([['store/ca.pem'], ['certs/tls.key']]);
});

test('folders are looked at again once they are watched, since before that nobody told', async () => {
  await watch('certs/tls.crt');
  await watching.watch([at('certs/tls.crt')]);
  expect(watching.clock.pending).toBe(0);
  await watching.watch([at('certs/tls.crt'), at('store/ca.pem')]);
  expect(watching.clock.pending).toBe(1);
});

test('what changed of a file while the set was replaced is told', async () => {
  await watch('certs/tls.crt');
  await write('certs/tls.crt', 'second');
  await watching.watch([at('certs/tls.crt'), at('certs/tls.key')]);
  expect(told()).toEqual([['certs/tls.crt']]);
});

test('links in a circle and a file for a folder lead nowhere, until they do', async () => {
  await link('two', 'one');
  await link('one', 'two');
  await write('certs/deeper', 'another');
  await watch('one', 'certs/tls.crt/deeper');
  await heard(at('certs'), 'deeper', () => write('certs/deeper', 'not meant'));
  expect(watching.clock.pending).toBe(0);
  await unlink(at('two'));
  await link('certs/tls.key', 'two');
  await watching.untilTold(1);
  await unlink(at('certs/tls.crt'));
  await mkdir(at('certs/tls.crt'));
  await write('certs/tls.crt/deeper', 'second');
  await watching.untilTold(2);
  expect(told()).toEqual([['one'], ['certs/tls.crt/deeper']]);
});

test('after its stop nothing is told, whenever it came', async () => {
  await watch('certs/tls.crt');
  const looking = watching.watch([at('certs/tls.crt'), at('certs/tls.key')]);
  watching.stop();
  await looking;
  await heard(at('certs'), 'tls.crt', () => write('certs/tls.crt', 'second'));
  expect(watching.clock.pending).toBe(0);
  await watching.watch([at('certs/tls.crt')]);
  expect(watching.told).toEqual([]);
  watching.stop();
});
