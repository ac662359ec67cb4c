import { beforeEach, expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { StorageDriver } from '../../../src/store/driver.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { keyUses } from '../../../src/vault/key-uses.ts';
import { rotateVault } from '../../../src/vault/rotate.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import type { VaultKeyText } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';

const [OLD, NEW] = [generateVaultKey('old'), generateVaultKey('new')];
let storage: StorageDriver;
beforeEach(() => {
  storage = openMemory();
});

async function openWith(...keys: readonly VaultKeyText[]) {
  const vault = new Vault(await openKeyring(keys));
  return { vault, records: new RecordStore({ storage, sealer: vault, events: () => undefined }) };
}

async function register(keys: readonly VaultKeyText[], id: string, ...fields: readonly string[]): Promise<void> {
  const { vault, records } = await openWith(...keys);
  const sealed = fields.map(async (field) => [
    field,
    { sealed: await vault.seal(new Secret(field), `gateway:${id}:${field}`) },
  ]);
  await records.write([{ kind: 'gateway', id, body: Object.fromEntries(await Promise.all(sealed)) as object }]);
}

test('a store without records needs no key', async () => {
  expect(await keyUses((await openWith(NEW)).records)).toEqual({ keys: [], refused: [] });
});

test('records and sealed values are counted by the key they need', async () => {
  await register([OLD], 'a', 'client_key', 'auth_token');
  await register([NEW, OLD], 'b', 'client_key');
  const { records, vault } = await openWith(NEW, OLD);
  // authenticated anew, its secret still under the old key
  const opened = await records.get<object>('gateway', 'a');
  await records.write([{ kind: 'gateway', id: 'a', body: opened?.body ?? {} }]);
  await register([OLD], 'c');
  const [fresh, retired] = [
    { kid: 'new', records: 2, values: 1 },
    { kid: 'old', records: 1, values: 2 },
  ];
  expect(await keyUses(records)).toEqual({ keys: [fresh, retired], refused: [] });

  await rotateVault({ records, vault, events: () => undefined });
  expect((await keyUses(records)).keys).toEqual([{ kid: 'new', records: 3, values: 3 }]);
});

test('a key that is not at hand is needed all the same', async () => {
  await register([OLD], 'a', 'client_key');
  await register([NEW], 'b');
  const { records } = await openWith(NEW);
  expect((await keyUses(records)).keys).toEqual([
    { kid: 'new', records: 1, values: 0 },
    { kid: 'old', records: 1, values: 0 },
  ]);
});

test('what no key authenticates is named', async () => {
  await storage.commit([{ key: 'gateway:a', value: '{"v":1,"version":"x","body":{},"mac":{"kid":"new","tag":"no"}}' }]);
  const { keys, refused } = await keyUses((await openWith(NEW)).records);
  expect(keys).toEqual([]);
  expect(refused).toMatchObject([{ context: 'gateway:a', code: 'record_tampered' }]);
});
