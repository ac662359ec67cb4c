import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { GatewayConfig, GatewayRecord, GatewayTls } from '../../../src/registry/gateway-record.ts';
import { openSecrets, sealDraft } from '../../../src/registry/gateway-secrets.ts';
import { promoted, retired } from '../../../src/registry/promotion.ts';
import { UNKNOWN_HISTORY } from '../../../src/registry/record-view.ts';
import { replaceSealed } from '../../../src/vault/sealed-fields.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { mintVault } from '../../support/vault.ts';

const pem = (text: string) => ({ pem: text });
const recordWith = async (vault: Vault, tls: GatewayTls<Secret>): Promise<GatewayRecord> => {
  const draft: GatewayConfig<Secret> = {
    id: 'id-1',
    slug: 'a',
    name: 'a',
    url: 'https://127.0.0.1:1/',
    transport: 'auto',
    prefix: 'a_',
    enabled: true,
    passthroughHeaders: [],
    auth: { type: 'bearer', token: new Secret('token') },
    tls,
    labels: {},
  };
  return { ...(await sealDraft(draft, vault)), history: UNKNOWN_HISTORY };
};
const CURRENT = { clientCert: pem('CERT'), clientKey: new Secret('key'), clientKeyPassword: new Secret('passphrase') };
const NEXT = { clientCert: pem('NEXT'), clientKey: new Secret('next-key') };

/** The TLS side as it is after it was stored and read, absent members left out; every secret opened where it stands. */
const storedAfter = async (vault: Vault, draft: Parameters<typeof sealDraft>[0]) => {
  const sealed = JSON.parse(JSON.stringify(await sealDraft(draft, vault))) as GatewayRecord;
  // vault rotation finds each secret by its place
  await replaceSealed('gateway:id-1', sealed, async (field, context) => {
    await vault.open(field.sealed, context);
    return field;
  });
  return revealed((await openSecrets(sealed, vault)).tls);
};
const revealed = (value: unknown): unknown => {
  if (value instanceof Secret) return value.reveal();
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, revealed(member)]));
};

test('identity and trust move up, what was current retires, and every secret is sealed for its new place', async () => {
  const vault = await mintVault();
  const tls = {
    ...CURRENT,
    caCertificate: pem('CA'),
    caMode: 'add',
    pins: ['p'],
    next: { ...NEXT, caCertificate: pem('NEXT CA') },
  } as const;
  const draft = await promoted(await recordWith(vault, tls), vault);
  expect(await storedAfter(vault, draft)).toEqual({
    clientCert: pem('NEXT'),
    clientKey: 'next-key',
    caCertificate: pem('NEXT CA'),
    caMode: 'add',
    pins: { 0: 'p' },
    retiring: { clientCert: pem('CERT'), clientKey: 'key', clientKeyPassword: 'passphrase', caCertificate: pem('CA') },
  });
});

test.each<[string, GatewayTls<Secret>, object]>([
  [
    'an identity alone leaves the trust',
    { ...CURRENT, caCertificate: pem('CA'), next: NEXT },
    {
      clientCert: pem('NEXT'),
      clientKey: 'next-key',
      caCertificate: pem('CA'),
      retiring: { clientCert: pem('CERT'), clientKey: 'key', clientKeyPassword: 'passphrase' },
    },
  ],
  [
    'an identity of the platform moves like one of ours',
    { clientBinding: 'OLD', next: { clientBinding: 'NEW' } },
    { clientBinding: 'NEW', retiring: { clientBinding: 'OLD' } },
  ],
  [
    'and takes the place of one of ours',
    { ...CURRENT, next: { clientBinding: 'NEW' } },
    {
      clientBinding: 'NEW',
      retiring: { clientCert: pem('CERT'), clientKey: 'key', clientKeyPassword: 'passphrase' },
    },
  ],
  [
    'trust alone leaves the identity',
    { ...NEXT, caCertificate: pem('CA'), next: { caCertificate: pem('NEXT CA') } },
    {
      clientCert: pem('NEXT'),
      clientKey: 'next-key',
      caCertificate: pem('NEXT CA'),
      retiring: { caCertificate: pem('CA') },
    },
  ],
  [
    'where there was no CA, the default set retires',
    { next: { caCertificate: pem('NEXT CA') } },
    {
      caCertificate: pem('NEXT CA'),
      retiring: { defaultSet: true },
    },
  ],
  ['where there was no identity, none retires', { next: NEXT }, { clientCert: pem('NEXT'), clientKey: 'next-key' }],
  [
    'what retired before is gone',
    { ...NEXT, retiring: { ...CURRENT }, next: { ...NEXT, clientCert: pem('THIRD') } },
    {
      clientCert: pem('THIRD'),
      clientKey: 'next-key',
      retiring: { clientCert: pem('NEXT'), clientKey: 'next-key' },
    },
  ],
])('%s', async (_what, tls, expected) => {
  const vault = await mintVault();
  expect(await storedAfter(vault, await promoted(await recordWith(vault, tls), vault))).toEqual(expected);
});

test('retiring forgets the retiring identity and nothing else', async () => {
  const vault = await mintVault();
  const tls = { ...NEXT, caCertificate: pem('CA'), retiring: { ...CURRENT, defaultSet: true } } as const;
  const draft = retired(await recordWith(vault, tls));
  expect(await storedAfter(vault, draft)).toEqual({
    clientCert: pem('NEXT'),
    clientKey: 'next-key',
    caCertificate: pem('CA'),
  });
});

test('without a next or a retiring identity there is nothing to do', async () => {
  const vault = await mintVault();
  const record = await recordWith(vault, CURRENT);
  await expect(promoted(record, vault)).rejects.toMatchObject({ code: 'nothing_to_promote' });
  expect(() => retired(record)).toThrow(expect.objectContaining({ code: 'nothing_to_retire' }));
});
