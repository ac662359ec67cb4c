import { expect, test } from 'vitest';
import { Exclusive } from '../../../src/registry/exclusive.ts';

test('tasks of one key run in turn, also after a failure; other keys do not wait', async () => {
  const exclusive = new Exclusive();
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = exclusive.run('a', async () => {
    await gate.promise;
    steps.push('a1');
    throw new Error('first');
  });
  const second = exclusive.run('a', async () => void steps.push('a2'));
  await exclusive.run('b', async () => void steps.push('b'));
  gate.resolve();
  await expect(first).rejects.toThrow('first');
  await second;
  const third = await exclusive.run('a', async () => 'a3');
  expect([...steps, third]).toEqual(['b', 'a1', 'a2', 'a3']);
});
