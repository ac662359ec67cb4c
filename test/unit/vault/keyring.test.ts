import { expect, test } from 'vitest';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { mintKeyring } from '../../support/vault.ts';

test('the first key is the primary, every key is found by its name', async () => {
  const keyring = await mintKeyring('new', 'old');
  expect(keyring.primary.kid).toBe('new');
  expect(keyring.kids).toEqual(['new', 'old']);
  expect([keyring.find('new'), keyring.find('old')?.kid, keyring.find('other')]).toEqual([
    keyring.primary,
    'old',
    undefined,
  ]);
});

test('no half of a key can be exported', async () => {
  const { primary } = await mintKeyring('k');
  expect([primary.sealing.extractable, primary.mac.extractable]).toEqual([false, false]);
  await expect(crypto.subtle.exportKey('raw', primary.sealing)).rejects.toThrow();
  await expect(crypto.subtle.exportKey('raw', primary.mac)).rejects.toThrow();
});

test('a keyring without keys is refused', async () => {
  await expect(openKeyring([])).rejects.toMatchObject({ code: 'vault_key_invalid' });
});
