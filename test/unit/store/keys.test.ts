import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '../../../src/base/ids.ts';
import { idOf, isRecordId, keyOf, parseKey, RECORD_KINDS } from '../../../src/store/keys.ts';

const kinds = fc.constantFrom(...RECORD_KINDS);
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,200}$/);

test('a key is its kind and its id, and both come back', () => {
  fc.assert(
    fc.property(kinds, ids, (kind, id) => {
      const key = keyOf(kind, id);
      expect(key).toBe(`${kind}:${id}`);
      expect(RECORD_KINDS.map((other) => idOf(other, key))).toEqual(
        RECORD_KINDS.map((other) => (other === kind ? id : undefined)),
      );
      expect(key).toMatch(/^[a-z]+:[A-Za-z0-9_-]+$/);
      expect(key.length).toBeLessThanOrEqual(255);
    }),
  );
});

test('no two records share a key', () => {
  fc.assert(
    fc.property(kinds, ids, kinds, ids, (kind, id, otherKind, otherId) => {
      expect(keyOf(kind, id) === keyOf(otherKind, otherId)).toBe(kind === otherKind && id === otherId);
    }),
  );
});

test('a key says what it is of, and a key that is not ours says nothing', () => {
  fc.assert(
    fc.property(kinds, ids, (kind, id) => {
      expect(parseKey(keyOf(kind, id))).toEqual({ kind, id });
    }),
  );
  for (const key of [
    '',
    'gateway',
    'gateway:',
    ':a',
    'gateways:a',
    'GATEWAY:a',
    'gateway:a:b',
    'toString:a',
    'gateway:a ',
  ])
    expect(parseKey(key)).toBeUndefined();
});

test('an id outside the grammar has no key', () => {
  fc.assert(
    fc.property(kinds, fc.string({ unit: 'binary' }), (kind, id) => {
      fc.pre(!/^[A-Za-z0-9_-]{1,200}$/.test(id));
      expect(isRecordId(id)).toBe(false);
      expect(() => keyOf(kind, id)).toThrow('expected the id');
      expect(idOf(kind, `${kind}:${id}`)).toBeUndefined();
    }),
  );
  for (const id of ['', '..', 'a:b', 'a/b', 'a?b', 'a b', 'a\n', 'x'.repeat(201)]) expect(isRecordId(id)).toBe(false);
});

test('every fresh id has a key', () => {
  expect(isRecordId(newId())).toBe(true);
});
