import { describe, expect, test } from 'vitest';
import { cutsSince, isInScope, nextGeneration } from '../../../src/rotation/generation.ts';
import type { Generation, RotationScope } from '../../../src/rotation/generation.ts';

const AT = '2026-01-01T00:00:00.000Z';
const after = (before: Generation | undefined, scope: RotationScope, cut = false): Generation =>
  nextGeneration(before, { by: 'somebody', reason: 'request', scope, cut }, `id-${before?.number ?? 0}`, AT);

test('generations are numbered from 1', () => {
  const first = after(undefined, 'all');
  const said = { by: 'somebody', reason: 'request', scope: 'all', cuts: {} };
  expect(first).toEqual({ number: 1, id: 'id-0', after: null, at: AT, ...said });
  expect(after(first, ['gateway:a'])).toMatchObject({ number: 2, after: 'id-0' });
});

describe('cuts', () => {
  const first = after(undefined, ['gateway:a'], true);
  const second = after(first, ['gateway:b']);
  const third = after(second, ['gateway:b', 'gateway:c'], true);

  test('are told to who missed the generation that said so', () => {
    expect(cutsSince(1, third)).toEqual(['gateway:b', 'gateway:c']);
    expect(cutsSince(0, third)).toEqual(['gateway:a', 'gateway:b', 'gateway:c']);
    expect(cutsSince(3, third)).toEqual([]);
    expect(cutsSince(0, second)).toEqual(['gateway:a']);
  });

  test('of everything leave nothing out', () => {
    expect(cutsSince(3, after(third, 'all', true))).toBe('all');
    expect(cutsSince(3, after(after(third, 'all', true), ['gateway:a']))).toBe('all');
    expect(cutsSince(4, after(after(third, 'all', true), ['gateway:a']))).toEqual([]);
  });

  test('are remembered for the 256 records cut last', () => {
    const many = Array.from({ length: 300 }, (_, index) => `gateway:${index}`);
    const cut = many.reduce<Generation | undefined>((before, key) => after(before, [key], true), undefined);
    const again = after(after(cut, ['gateway:44'], true), ['gateway:new'], true);
    const due = cutsSince(0, again);
    expect(due).toHaveLength(256);
    expect(due).toContain('gateway:44');
    expect(due).not.toContain('gateway:45');
    expect(again.cuts['gateway:44']).toBe(301);
  });
});

test('a scope is everything, or the records it names', () => {
  expect(isInScope('gateway:a', 'all')).toBe(true);
  expect(isInScope('gateway:a', ['gateway:a'])).toBe(true);
  expect(isInScope('gateway:b', ['gateway:a'])).toBe(false);
});
