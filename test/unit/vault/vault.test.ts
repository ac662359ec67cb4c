import { inspect } from 'node:util';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { Secret } from '../../../src/base/secret.ts';
import { Keyring, openKeyring } from '../../../src/vault/keyring.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { mintKeyring, mintVault } from '../../support/vault.ts';

const CONTEXT = 'gateway:a:client_key';
const CANARY = 'canary-plaintext';

let vault: Vault;
beforeAll(async () => {
  vault = await mintVault();
});

describe('a sealed value', () => {
  test('opens to what was sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (plaintext, context) => {
        const sealed = await vault.seal(new Secret(plaintext), context);
        expect((await vault.open(sealed, context)).reveal()).toBe(plaintext);
      }),
    );
  });

  test('opens in its own context only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (context, other) => {
        fc.pre(context !== other);
        const sealed = await vault.seal(new Secret(CANARY), context);
        await expect(vault.open(sealed, other)).rejects.toMatchObject({ code: 'vault_open_failed' });
      }),
    );
  });

  test('is a compact JWE that names its key and its place', async () => {
    const sealed = await vault.seal(new Secret(CANARY), CONTEXT);
    expect(decodeProtectedHeader(sealed)).toEqual({ alg: 'dir', enc: 'A256GCM', kid: 'k1', ctx: CONTEXT });
    expect(sealed).not.toBe(await vault.seal(new Secret(CANARY), CONTEXT));
  });

  test('does not open once any part of it changed', async () => {
    const sealed = await vault.seal(new Secret(CANARY), CONTEXT);
    const parts = sealed.split('.');
    const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    for (const index of [0, 2, 3, 4]) {
      const changed = parts.with(index, flip(parts[index] ?? '')).join('.');
      await expect(vault.open(changed, CONTEXT)).rejects.toMatchObject({ code: 'vault_open_failed' });
    }
  });

  test('does not open when its header was rewritten to fit another place', async () => {
    const elsewhere = 'gateway:b:client_key';
    const [, ...rest] = (await vault.seal(new Secret(CANARY), CONTEXT)).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: 'k1', ctx: elsewhere }));
    const moved = [header.toString('base64url'), ...rest].join('.');
    await expect(vault.open(moved, elsewhere)).rejects.toMatchObject({ code: 'vault_open_failed' });
  });

  test('of another algorithm is refused, even under the right key', async () => {
    const header = { alg: 'A256GCMKW', enc: 'A256GCM', kid: 'k1', ctx: CONTEXT };
    const key = crypto.getRandomValues(new Uint8Array(32));
    const foreign = await new CompactEncrypt(utf8(CANARY)).setProtectedHeader(header).encrypt(key);
    await expect(vault.open(foreign, CONTEXT)).rejects.toMatchObject({ code: 'vault_open_failed' });
  });

  test.each(['', CANARY, '-----BEGIN PRIVATE KEY-----', '/etc/ssl/client.key', '..', 'a..b.c.d', 'eyJ9..a.b.c'])(
    'is never mistaken: %j is not used as it is, nor told',
    async (text) => {
      const error: unknown = await vault.open(text, CONTEXT).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'vault_open_failed', details: { context: CONTEXT } });
      if (text.length > 4) expect(inspect(error)).not.toContain(text);
    },
  );
});

describe('keys', () => {
  test('a retired key still opens, the primary seals', async () => {
    const [first, second] = [generateVaultKey('k1'), generateVaultKey('k2')];
    const rotating = new Vault(await openKeyring([first]));
    const sealed = await rotating.seal(new Secret(CANARY), CONTEXT);
    rotating.use(await openKeyring([second, first]));
    expect((await rotating.open(sealed, CONTEXT)).reveal()).toBe(CANARY);
    expect(rotating.primaryKid).toBe('k2');
    expect(decodeProtectedHeader(await rotating.seal(new Secret(CANARY), CONTEXT))).toMatchObject({ kid: 'k2' });
    rotating.use(await openKeyring([second]));
    await expect(rotating.open(sealed, CONTEXT)).rejects.toMatchObject({
      code: 'vault_key_unknown',
      message: `${CONTEXT} needs vault key k1, which is not at hand`,
      details: { context: CONTEXT, kid: 'k1' },
    });
  });

  test('a wrong key of the right name does not open', async () => {
    const sealed = await (await mintVault()).seal(new Secret(CANARY), CONTEXT);
    const error: unknown = await vault.open(sealed, CONTEXT).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'vault_open_failed' });
    expect(inspect(error, { depth: null })).not.toContain(CANARY);
  });

  test('a key that is not at hand is asked for once, however many need it', async () => {
    const [ours, theirs] = [await mintKeyring('k1'), await mintKeyring('k2')];
    const both = new Keyring(theirs.primary, [ours.primary]);
    let asked = 0;
    const reloading = new Vault(ours, { reload: async () => (asked++, both) });
    const sealed = await new Vault(theirs).seal(new Secret(CANARY), CONTEXT);
    const opened = await Promise.all([1, 2, 3].map(() => reloading.open(sealed, CONTEXT)));
    expect(opened.map((secret) => secret.reveal())).toEqual([CANARY, CANARY, CANARY]);
    expect(asked).toBe(1);
    expect(reloading.kids).toEqual(['k2', 'k1']);
  });

  test('a key that is unknown after asking fails closed', async () => {
    const ours = await mintKeyring('k1');
    let asked = 0;
    const reloading = new Vault(ours, { reload: async () => (asked++, ours) });
    const sealed = await new Vault(await mintKeyring('k2')).seal(new Secret(CANARY), CONTEXT);
    await expect(reloading.open(sealed, CONTEXT)).rejects.toMatchObject({ code: 'vault_key_unknown' });
    expect(asked).toBe(1);
  });
});

describe('tokens', () => {
  const claims = { sub: 'alice', exp: 12, nested: { upstreams: ['a', 'b'] } };

  test('come back for their purpose only', async () => {
    const token = await vault.sealToken(claims, 'mcp-session');
    expect(await vault.openToken(token, 'mcp-session')).toEqual(claims);
    await expect(vault.openToken(token, 'other')).rejects.toMatchObject({ code: 'vault_open_failed' });
  });

  test('are not fields, and fields are not tokens', async () => {
    const token = await vault.sealToken(claims, 'x');
    await expect(vault.open(token, 'x')).rejects.toMatchObject({ code: 'vault_open_failed' });
    const field = await vault.seal(new Secret(JSON.stringify(claims)), 'x');
    await expect(vault.openToken(field, 'x')).rejects.toMatchObject({ code: 'vault_open_failed' });
  });
});

describe('record authentication', () => {
  test('holds for the same bytes and key only', async () => {
    const mac = await vault.mac(utf8('data'));
    expect(await vault.verifyMac(utf8('data'), mac, 'gateway:a')).toBe(true);
    expect(await vault.verifyMac(utf8('Data'), mac, 'gateway:a')).toBe(false);
    expect(await (await mintVault()).verifyMac(utf8('data'), mac, 'gateway:a')).toBe(false);
  });

  test.each(['', 'A', '!'.repeat(43), 'A'.repeat(43), 'A'.repeat(44)])('a tag like %j is simply wrong', async (tag) => {
    expect(await vault.verifyMac(utf8('data'), { kid: 'k1', tag }, 'gateway:a')).toBe(false);
  });

  test('an unknown key is named with the record', async () => {
    const { tag } = await vault.mac(utf8('data'));
    await expect(vault.verifyMac(utf8('data'), { kid: 'k9', tag }, 'gateway:a')).rejects.toMatchObject({
      code: 'vault_key_unknown',
      details: { context: 'gateway:a', kid: 'k9' },
    });
  });
});
