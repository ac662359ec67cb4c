import { beforeEach, describe, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { Generations } from '../../../src/rotation/generations.ts';
import type { RotationParticipant, RotationProblem, RotationStep } from '../../../src/rotation/participant.ts';
import { Rotation } from '../../../src/rotation/rotation.ts';
import { StoreLink } from '../../../src/rotation/store-link.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import type { Migrations } from '../../../src/store/migrations.ts';
import { RecordStore } from '../../../src/store/records.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import { storedText } from '../../support/stored-text.ts';
import { mintVault } from '../../support/vault.ts';

/** A part that rotates, with what it was asked to do; it fails, changes and has problems as told. */
class Part implements RotationParticipant {
  readonly name = 'part';
  readonly steps: RotationStep[] = [];
  changes = false;
  failure: Error | undefined;
  current: RotationProblem[] = [];
  hold: Promise<void> = Promise.resolve();

  async apply(step: RotationStep): Promise<boolean> {
    this.steps.push(step);
    await this.hold;
    if (this.failure) throw this.failure;
    return this.changes;
  }
  problems = () => this.current;
  files = () => [];
}

const NOTE = { by: 'somebody', reason: 'request', scope: 'all' } as const;
const problemOf = (subject: string): RotationProblem => ({
  subject,
  name: 'a',
  code: 'key_mismatch',
  message: 'the key is another one',
});

let clock: ManualClock;
let storage: StorageDriver;
let isGone = false;
let vault: Vault;

function instance(migrations: Migrations = {}) {
  const log = recordEvents();
  const records = new RecordStore({ storage, sealer: vault, events: log.sink, migrations });
  const generations = new Generations(records, clock);
  const store = new StoreLink(clock, log.sink);
  const rotation = new Rotation({ generations, store, clock, events: log.sink });
  const part = new Part();
  rotation.join(part);
  return { rotation, part, log, generations };
}

beforeEach(async () => {
  clock = new ManualClock();
  isGone = false;
  vault = await mintVault();
  const memory = openMemory();
  const unlessGone = async <T>(work: () => Promise<T> | T): Promise<T> => {
    if (isGone) throw new GatewayError('store_unavailable', 'the store is gone');
    return work();
  };
  storage = {
    ...memory,
    driver: {
      getItem: (key, options) => unlessGone(() => memory.driver.getItem(key, options)),
      getKeys: (base, options) => unlessGone(() => memory.driver.getKeys(base, options)),
    },
    commit: (changes) => unlessGone(() => memory.commit(changes)),
  };
});

describe('what one instance writes', () => {
  test('another one comes to, with what it is about', async () => {
    const [a, b] = [instance(), instance()];
    await a.rotation.request({ ...NOTE, scope: ['gateway:x'] });
    await b.rotation.come();
    expect(b.part.steps).toEqual([{ scope: ['gateway:x'], cuts: [] }]);
    expect(b.rotation.status).toMatchObject({ inForce: 1, failing: [] });
    await b.rotation.come();
    expect(b.part.steps).toHaveLength(1);
  });

  test('is not read anew by who wrote it along with a change', async () => {
    const a = instance();
    let isInForce = false;
    const change = { kind: 'server', id: 'x', body: {}, expectedVersion: null } as const;
    const putInForce = () => (isInForce = true);
    expect(await a.rotation.commit([change], { ...NOTE, reason: 'change' }, putInForce)).toBe(true);
    await a.rotation.come();
    expect([isInForce, a.part.steps, a.rotation.status.inForce]).toEqual([true, [], 1]);
  });

  test('is not written where a change does not fit', async () => {
    const a = instance();
    const change = { kind: 'server', id: 'x', body: {}, expectedVersion: 'another' } as const;
    expect(await a.rotation.commit([change], NOTE, () => expect.unreachable())).toBe(false);
    expect(await a.generations.read()).toBeUndefined();
  });

  test('fits in between what others write at the same moment', async () => {
    const all = Array.from({ length: 8 }, instance);
    await Promise.all(all.map(({ rotation }) => rotation.request(NOTE)));
    expect((await all[0]?.generations.read())?.number).toBe(8);
    await Promise.all(all.map(({ rotation }) => rotation.come()));
    expect(all.map(({ rotation }) => rotation.status.inForce)).toEqual(Array(8).fill(8));
  });
});

describe('an instance that missed a generation', () => {
  test('reads everything anew, and cuts what was to be cut meanwhile', async () => {
    const [a, b] = [instance(), instance()];
    await a.rotation.request({ ...NOTE, scope: ['gateway:x'], cut: true });
    await a.rotation.request({ ...NOTE, scope: ['gateway:y'] });
    await b.rotation.come();
    expect(b.part.steps).toEqual([{ scope: 'all', cuts: ['gateway:x'] }]);
  });

  test('has nothing to cut when it starts', async () => {
    const [a, b] = [instance(), instance()];
    await a.rotation.request({ ...NOTE, cut: true });
    await b.rotation.begin();
    await b.rotation.come();
    expect(b.part.steps).toEqual([]);
    expect(b.rotation.status.inForce).toBe(1);
  });
});

describe('where the store was put back to what it was before', () => {
  /** Two generations, then the store of one ago. */
  async function putBack() {
    const [a, b] = [instance(), instance()];
    await a.rotation.request(NOTE);
    const former = await storedText(storage, 'generation:current');
    await a.rotation.request(NOTE);
    await storage.commit([{ key: 'generation:current', value: former }]);
    return { a, b };
  }

  test('a number that seems to follow does not hide what was missed', async () => {
    const { a, b } = await putBack();
    await b.rotation.request(NOTE);
    await b.rotation.request({ ...NOTE, scope: ['gateway:x'] });
    await a.rotation.come();
    expect(a.rotation.status.generation?.number).toBe(3);
    expect(a.part.steps.at(-1)).toEqual({ scope: 'all', cuts: [] });
  });

  test('a cut under a number that was there already is made', async () => {
    const { a, b } = await putBack();
    await b.rotation.request({ ...NOTE, scope: ['gateway:x'], cut: true });
    await a.rotation.come();
    expect(a.part.steps.at(-1)).toEqual({ scope: 'all', cuts: ['gateway:x'] });
  });

  test('a generation that fails is not taken for the one of its number that did not', async () => {
    const { a, b } = await putBack();
    await b.rotation.request(NOTE);
    a.part.current = [problemOf('gateway:x')];
    await a.rotation.come();
    expect(a.log.of('rotation.failed')).toMatchObject([{ generation: 2, name: 'a' }]);
    a.part.current = [];
    a.rotation.settle();
    expect(a.log.of('rotation.applied').map(({ generation }) => generation)).toEqual([1, 2, 2]);
  });
});

test('what could not be loaded at a start is in force no more than it was before', async () => {
  await instance().rotation.request({ ...NOTE, scope: ['gateway:x'] });
  const { rotation, part, log } = instance();
  await rotation.begin();
  part.current = [problemOf('gateway:x')];
  rotation.loaded();
  rotation.settle();
  expect(rotation.status).toMatchObject({ inForce: 0, generation: { number: 1 } });
  expect(log.of('rotation.failed')).toMatchObject([{ generation: 1, serving: 0, name: 'a' }]);
  part.current = [];
  rotation.settle();
  expect(rotation.status.inForce).toBe(1);
});

test('a run that breaks is reported, and is not the last one', async () => {
  const { rotation, part, log } = instance();
  part.problems = () => {
    throw new Error('canary');
  };
  await rotation.request(NOTE);
  expect(log.of('task.failed')).toEqual([{ task: 'rotation', message: 'something went wrong inside the gateway' }]);
  part.problems = () => [];
  await rotation.request(NOTE);
  expect(rotation.status.inForce).toBe(2);
});

describe('a generation that does not come into force', () => {
  test('leaves the one before, and says why', async () => {
    const { rotation, part, log } = instance();
    await rotation.request(NOTE);
    part.current = [problemOf('gateway:x')];
    await rotation.request({ ...NOTE, scope: ['gateway:x'] });
    expect(rotation.status).toMatchObject({
      inForce: 1,
      generation: { number: 2 },
      failing: [{ code: 'key_mismatch' }],
    });
    const because = { name: 'a', code: 'key_mismatch', message: 'the key is another one' };
    expect(log.of('rotation.failed')).toEqual([{ generation: 2, reason: 'request', serving: 1, ...because }]);
  });

  test('comes into force once what was in its way is mended', async () => {
    const { rotation, part } = instance();
    part.current = [problemOf('gateway:x')];
    await rotation.request(NOTE);
    part.current = [];
    rotation.settle();
    expect(rotation.status.inForce).toBe(1);
  });

  test('is not one that has nothing to do with the problem', async () => {
    const { rotation, part } = instance();
    part.current = [problemOf('gateway:x')];
    await rotation.request({ ...NOTE, scope: ['gateway:y'] });
    expect(rotation.status).toMatchObject({ inForce: 1, failing: [], problems: [{ subject: 'gateway:x' }] });
  });

  test('is tried again as a whole where a part failed as a whole', async () => {
    const { rotation, part } = instance();
    part.failure = new Error('canary');
    await rotation.request({ ...NOTE, scope: ['gateway:x'] });
    expect(rotation.status.failing).toEqual([
      { subject: undefined, name: 'part', code: 'internal', message: 'something went wrong inside the gateway' },
    ]);
    part.failure = undefined;
    await rotation.come();
    rotation.settle();
    expect([part.steps[1], rotation.status.inForce]).toEqual([{ scope: 'all', cuts: [] }, 1]);
  });
});

describe('a look at everything', () => {
  test('tells the others where it changed something', async () => {
    const { rotation, part, generations } = instance();
    part.changes = true;
    await rotation.recheck();
    expect(await generations.read()).toMatchObject({ number: 1, reason: 'file', scope: 'all' });
    expect(rotation.status.inForce).toBe(1);
  });

  test('writes nothing where it changed nothing', async () => {
    const { rotation, part, generations } = instance();
    await rotation.recheck();
    expect([part.steps.length, await generations.read()]).toEqual([1, undefined]);
  });

  test('is not announced where another one has announced it meanwhile', async () => {
    const [a, b] = [instance(), instance()];
    b.part.changes = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    b.part.hold = promise;
    const looking = b.rotation.recheck();
    a.part.changes = true;
    await a.rotation.recheck();
    resolve();
    await looking;
    await b.rotation.come();
    expect((await a.generations.read())?.number).toBe(1);
    expect(b.rotation.status.inForce).toBe(1);
  });
});

test('what all see at the same moment is announced once', async () => {
  const all = Array.from({ length: 8 }, instance);
  for (const { part } of all) part.changes = true;
  await Promise.all(all.map(({ rotation }) => rotation.recheck()));
  for (const { part } of all) part.changes = false;
  await Promise.all(all.map(({ rotation }) => rotation.come()));
  expect(all.map(({ rotation }) => rotation.status.inForce)).toEqual(Array(8).fill(1));
});

test('a storm of requests is a few runs, the last of them after the last request', async () => {
  const { rotation, part } = instance();
  const { promise, resolve } = Promise.withResolvers<void>();
  part.hold = promise;
  const storm = Array.from({ length: 100 }, () => rotation.recheck());
  resolve();
  await Promise.all(storm);
  expect(part.steps).toHaveLength(1);
  await Promise.all([rotation.recheck(), rotation.recheck()]);
  expect(part.steps).toHaveLength(2);
});

describe('while the store is gone', () => {
  test('what is asked for by signal is done here all the same, and the loss is reported once', async () => {
    const { rotation, part, log } = instance();
    isGone = true;
    await rotation.requestAnyway({ ...NOTE, reason: 'signal' });
    await rotation.come();
    expect(part.steps).toEqual([{ scope: 'all', cuts: [] }]);
    expect(log.count('rotation.store_lost')).toBe(1);
    expect(rotation.status.storeLostAtMs).toBe(clock.nowMs());
    isGone = false;
    clock.advance(4_000);
    await rotation.come();
    expect(log.of('rotation.store_back')).toEqual([{ lostMs: 4_000 }]);
    expect(rotation.status.storeLostAtMs).toBeUndefined();
  });

  test('what was asked for over the API is refused', async () => {
    const { rotation } = instance();
    isGone = true;
    await expect(rotation.request(NOTE)).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

test('a generation that cannot be believed stops nobody: it is reported, and the next one takes its place', async () => {
  await instance().rotation.request(NOTE);
  const text = (await storedText(storage, 'generation:current')) ?? '';
  await storage.commit([{ key: 'generation:current', value: text.replace('somebody', 'somebody else') }]);
  const { rotation, log } = instance();
  await rotation.begin();
  expect(log.of('rotation.store_lost')).toEqual([expect.objectContaining({ code: 'record_tampered' })]);
  await rotation.request(NOTE);
  expect(rotation.status).toMatchObject({ inForce: 1, storeLostAtMs: undefined });
});

test('a generation of a newer build is never written over: an older one changes nothing, and rereads its own', async () => {
  await instance({ generation: [(body) => body] }).rotation.request(NOTE);
  const text = await storedText(storage, 'generation:current');
  const { rotation, part } = instance();
  await rotation.begin();
  await expect(rotation.request(NOTE)).rejects.toMatchObject({ code: 'record_newer' });
  await rotation.requestAnyway({ ...NOTE, reason: 'signal' });
  expect(part.steps).toEqual([{ scope: 'all', cuts: [] }]);
  part.changes = true;
  await rotation.recheck();
  expect(await storedText(storage, 'generation:current')).toBe(text);
});
