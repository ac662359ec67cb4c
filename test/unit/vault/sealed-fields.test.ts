import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { fieldContext, isSealed, replaceSealed } from '../../../src/vault/sealed-fields.ts';
import type { Sealed, Vault } from '../../../src/vault/vault.ts';
import { mintVault } from '../../support/vault.ts';

let vault: Vault;
let field: Sealed;
beforeAll(async () => {
  vault = await mintVault();
  field = { sealed: await vault.seal(new Secret('x'), 'anything') };
});

describe('the context of a field', () => {
  test('reads as record and path', () => {
    expect(fieldContext('gateway:a', ['client_key'])).toBe('gateway:a:client_key');
    expect(fieldContext('gateway:a', ['headers', 'x-api-key'])).toBe('gateway:a:headers/x-api-key');
  });

  test('is shared by no two fields', () => {
    const paths = fc.array(fc.string({ unit: fc.constantFrom('a', '/', '~', '0', '1', ':') }), { minLength: 1 });
    const ids = fc.constantFrom('gateway:a', 'gateway:b', 'gateway:a-');
    fc.assert(
      fc.property(ids, paths, ids, paths, (record, path, otherRecord, otherPath) => {
        const same = record === otherRecord && JSON.stringify(path) === JSON.stringify(otherPath);
        expect(fieldContext(record, path) === fieldContext(otherRecord, otherPath)).toBe(same);
      }),
    );
  });
});

test('a sealed field is known by its shape', () => {
  expect(isSealed(field)).toBe(true);
  const others = [
    null,
    'x',
    [field],
    {},
    { sealed: 1 },
    { sealed: 'x' },
    { sealed: 'a..b.c.d' },
    { ...field, more: 1 },
  ];
  expect(others.map((other) => isSealed(other))).toEqual(others.map(() => false));
});

test('each sealed field is met once, with its context, wherever it stands', async () => {
  const body = {
    client_key: field,
    tls: { next: { key: field } },
    headers: [{ value: field }, { 'a/b': field }],
    n: 1,
  };
  const met: string[] = [];
  const replaced = await replaceSealed('gateway:a', body, async (_field, context) => {
    met.push(context);
    return { sealed: context };
  });
  expect(met.toSorted()).toEqual([
    'gateway:a:client_key',
    'gateway:a:headers/0/value',
    'gateway:a:headers/1/a~1b',
    'gateway:a:tls/next/key',
  ]);
  expect(replaced).toEqual({
    client_key: { sealed: 'gateway:a:client_key' },
    tls: { next: { key: { sealed: 'gateway:a:tls/next/key' } } },
    headers: [{ value: { sealed: 'gateway:a:headers/0/value' } }, { 'a/b': { sealed: 'gateway:a:headers/1/a~1b' } }],
    n: 1,
  });
  expect(body.client_key).toBe(field);
});

test('a body without sealed fields stays as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (body) => {
      const replaced = await replaceSealed('gateway:a', body, () => Promise.reject(new Error('met one')));
      expect(replaced).toEqual(body);
    }),
  );
});
