import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { formatVaultKeys, generateVaultKey, parseVaultKeys } from '../../../src/vault/vault-keys.ts';

const parse = (text: string) => parseVaultKeys(new Secret(text));
const reveal = (text: string) => parse(text).map(({ kid, key }) => [kid, key.reveal()]);
const key = (fill: number, bytes = 32) => Buffer.alloc(bytes, fill).toString('base64');

const failure = (text: string): unknown => {
  try {
    return parse(text);
  } catch (error) {
    return error;
  }
};

test('keys are read in order, the primary first', () => {
  expect(reveal(`new:${key(1)},old:${key(2)}`)).toEqual([
    ['new', key(1)],
    ['old', key(2)],
  ]);
  expect(reveal(` new:${key(1)} ,\n old:${key(2)}\n`)).toHaveLength(2);
});

test('base64url and missing padding are as good', () => {
  const url = Buffer.alloc(32, 0xfb).toString('base64url');
  expect(reveal(`k:${url}`)).toEqual([['k', url]]);
});

test('what is written is read back', () => {
  const kids = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(kids, (ids) => {
      const keys = ids.map((kid) => generateVaultKey(kid));
      const read = parseVaultKeys(formatVaultKeys(keys));
      expect(read.map(({ kid, key }) => [kid, key.reveal()])).toEqual(keys.map(({ kid, key }) => [kid, key.reveal()]));
    }),
  );
});

test('generated keys differ, and so do their names', () => {
  const [one, other] = [generateVaultKey(), generateVaultKey()];
  expect(one.kid).toMatch(/^[0-9a-f]{8}$/);
  expect(one.kid).not.toBe(other.kid);
  expect(one.key.reveal()).not.toBe(other.key.reveal());
});

describe('an entry that is no key', () => {
  const good = `good:${key(1)}`;
  const canary = Buffer.from('canary-canary-canary-canary-cana').toString('base64');
  test.each([
    ['nothing', `${good},`, 2, 'met nothing'],
    ['no text', '', 1, 'met nothing'],
    ['a key without a name', canary, 1, 'met a text without a colon'],
    ['an empty name', `${good},:${canary}`, 2, 'a key id of 1 to 64 characters'],
    ['a name with other characters', `${canary}/ö:x`, 1, 'a key id of 1 to 64 characters'],
    ['a short key', `k:${canary.slice(0, 22)}`, 1, 'met 16 bytes'],
    ['a long key', `k:${key(1, 33)}`, 1, 'met 33 bytes'],
    ['an empty key', `${good},k:`, 2, 'met characters outside it'],
    ['something else than base64', `k:${canary.slice(0, 40)}$$$$`, 1, 'met characters outside it'],
    ['a name twice', `${good},${good}`, 2, 'met one that an earlier entry has'],
  ])('%s: the error tells the position and what was met, not the value', (_what, text, position, met) => {
    const error = failure(text);
    expect(error).toMatchObject({
      code: 'vault_key_invalid',
      message: expect.stringContaining(`vault key ${position}: expected `),
      details: { position },
    });
    expect(error).toMatchObject({ message: expect.stringContaining(met) });
    expect(inspect(error, { depth: null })).not.toContain(canary.slice(0, 12));
  });

  test('no text makes anything else happen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect((failure(text) as GatewayError).code).toBe('vault_key_invalid');
      }),
    );
  });
});
