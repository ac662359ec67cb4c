/** What a StorageDriver with `watch` promises when its server is lost; see src/store/driver.ts. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { StorageDriver } from '../../src/store/driver.ts';
import { closeAfterEach } from '../support/closing.ts';
import type { TestServer } from '../support/redis.ts';
import type { StoreClients } from '../support/store-clients.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import { until } from '../support/until.ts';
import { watchStore } from '../support/watched-store.ts';

const key = () => `gateway:${newId()}`;
const put = (storage: StorageDriver, at: string) => storage.commit([{ key: at, value: '{}' }]);

export interface WatchedServer {
  readonly server: () => TestServer;
  readonly open: (url: string) => Promise<StorageDriver>;
  readonly clients: (url: string) => StoreClients | Promise<StoreClients>;
  /** The same server for somebody else's records. */
  readonly elsewhere: () => string | Promise<string>;
}

/** Watching a store behind a server that can be lost. */
export function watchLossContract({ server, open, clients, elsewhere }: WatchedServer): void {
  describe('watching through losses', () => {
    const closing = closeAfterEach();
    let operator: StoreClients;
    beforeAll(async () => {
      operator = await clients(server().url);
    });
    afterAll(() => operator.close());
    const openAt = async (url = server().url) => {
      const storage = await open(url);
      closing.push(() => storage.close());
      return storage;
    };

    test('a connection that was killed comes back and says so', async () => {
      const [here, there] = [await openAt(), await openAt()];
      const watched = watchStore(here);
      await watched.link(true);
      await operator.killListening();
      await watched.link(false);
      await watched.link(true);
      const at = key();
      await put(there, at);
      await watched.settled();
      expect(watched.told).toEqual([at]);
      expect(watched.links).toEqual([true, false, true]);
    });

    test('of a flood with losses in it nothing is lost silently', async () => {
      const [here, there] = [await openAt(), await openAt()];
      const known = new Set<string>();
      const looks: Promise<void>[] = [];
      const look = async () => {
        for (const found of await here.driver.getKeys('server', {})) known.add(found);
      };
      let ups = 0;
      here.watch?.(
        (keys) => keys.forEach((at) => known.add(at)),
        (up) => void (up && (ups++, looks.push(look()))),
      );
      await until(() => ups === 1);
      const keys = Array.from({ length: 300 }, () => `server:${newId()}`);
      for (const [index, at] of keys.entries()) {
        await put(there, at);
        if (index % 100 === 50) await operator.killListening();
      }
      await until(() => ups >= 2 && keys.every((at) => known.has(at)));
      await Promise.all(looks);
    });

    test('nothing stays open once nobody watches, or the store was closed', async () => {
      const noneIsLeft = async () => (await operator.count()) === 0;
      await until(noneIsLeft);
      const [here, there] = [await open(server().url), await open(server().url)];
      const [stopped, closed] = [watchStore(here), watchStore(there)];
      await Promise.all([stopped.link(true), closed.link(true)]);
      expect(await operator.listening()).toBe(2);
      stopped.stop();
      await until(async () => (await operator.listening()) === 1);
      await there.close();
      await until(async () => (await operator.listening()) === 0);
      await here.close();
      await until(noneIsLeft);
      expect(closed.links).toEqual([true]);
    });

    test('what others keep on the same server is not told', async () => {
      const [here, other] = [await openAt(), await openAt(await elsewhere())];
      const [watched, watchedOther] = [watchStore(here), watchStore(other)];
      await Promise.all([watched.link(true), watchedOther.link(true)]);
      const [mine, theirs] = [key(), key()];
      await put(here, mine);
      await put(other, theirs);
      await Promise.all([watched.settled(), watchedOther.settled()]);
      expect([watched.told, watchedOther.told]).toEqual([[mine], [theirs]]);
    });

    test.each([
      ['cannot be reached', 'refuse'],
      ['falls silent', 'swallow'],
    ] as const)('a server that %s is missed, and listened to again', { timeout: 60_000 }, async (_, how) => {
      const gate = await startTcpGate(Number(new URL(server().url).port));
      closing.push(() => gate.close());
      const [here, there] = [await openAt(gate.through(server().url)), await openAt()];
      const watched = watchStore(here);
      const printed = vi.spyOn(console, 'error');
      await watched.link(true);
      await gate.shut(how);
      const missed = key();
      await put(there, missed);
      await watched.link(false);
      await gate.open();
      await watched.link(true);
      expect(await here.driver.getItem(missed)).toBe('{}');
      const at = key();
      await put(there, at);
      await watched.settled();
      expect(watched.told).toContain(at);
      await until(async () => (await operator.listening()) === 1);
      expect(printed).not.toHaveBeenCalled();
    });

    test('a server that was gone is listened to again', { timeout: 30_000 }, async () => {
      const here = await openAt();
      const watched = watchStore(here);
      await watched.link(true);
      await operator.close();
      await server().kill();
      await watched.link(false);
      await server().restart();
      await watched.link(true);
      const at = key();
      await put(here, at);
      await watched.settled();
      expect(watched.told).toEqual([at]);
      operator = await clients(server().url);
    });
  });
}
