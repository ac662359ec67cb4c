import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { openSecrets, sealDraft } from '../../../src/registry/gateway-secrets.ts';
import type { GatewayAuth, GatewayDraft } from '../../../src/registry/gateway-record.ts';
import { openKeyring } from '../../../src/vault/keyring.ts';
import { replaceSealed } from '../../../src/vault/sealed-fields.ts';
import { generateVaultKey } from '../../../src/vault/vault-keys.ts';
import { Vault } from '../../../src/vault/vault.ts';

const secret = (text: string) => new Secret(`canary-${text}`);

const draft = (auth: GatewayAuth<Secret>): GatewayDraft => ({
  id: 'id-1',
  slug: 'a',
  name: 'a',
  url: 'https://127.0.0.1:1/',
  transport: 'auto',
  prefix: 'a_',
  enabled: true,
  passthroughHeaders: [],
  auth,
  tls: {
    caCertificate: { file: '/ca.pem' },
    clientCert: { pem: 'CERT' },
    clientKey: secret('key'),
    clientKeyPassword: secret('passphrase'),
    next: { clientCert: { pem: 'NEXT' }, clientKey: secret('next-key'), clientKeyPassword: secret('next-passphrase') },
    retiring: { caCertificate: { file: '/old.pem' }, clientKey: secret('retiring-key') },
  },
  previous: {
    material: 'name',
    tls: {
      pins: ['p'],
      clientKey: secret('previous-key'),
      next: { clientKey: secret('previous-next-key') },
      retiring: { clientKey: { file: '/old.key' }, clientKeyPassword: secret('previous-retiring-passphrase') },
    },
  },
  labels: {},
});
const TLS_SECRETS = 8;

const AUTHS: readonly GatewayAuth<Secret>[] = [
  { type: 'none' },
  { type: 'basic', username: 'u', password: secret('password') },
  { type: 'bearer', token: secret('token') },
  { type: 'authheaders', headers: { 'X-A': secret('a'), 'x/b~c': secret('b') } },
  { type: 'query_param', key: 'k', value: secret('value') },
];

test.each(AUTHS)('a sealed record with auth $type holds no secret in the open, and opens again', async (auth) => {
  const vault = new Vault(await openKeyring([generateVaultKey()]));
  const sealed = await sealDraft(draft(auth), vault);
  expect(JSON.stringify(sealed)).not.toContain('canary');
  const opened = await openSecrets(sealed, vault);
  expect(revealed(opened)).toEqual(revealed(draft(auth)));
});

test('every secret is sealed for the place where vault rotation finds it', async () => {
  const vault = new Vault(await openKeyring([generateVaultKey()]));
  for (const auth of AUTHS) {
    const sealed = await sealDraft(draft(auth), vault);
    const opened: string[] = [];
    await replaceSealed('gateway:id-1', JSON.parse(JSON.stringify(sealed)), async (field, context) => {
      opened.push((await vault.open(field.sealed, context)).reveal());
      return field;
    });
    expect(opened.length).toBe(TLS_SECRETS + (JSON.stringify(revealed(auth)).match(/canary/g)?.length ?? 0));
  }
});

test('a secret does not open where another generation of the same gateway stands', async () => {
  const vault = new Vault(await openKeyring([generateVaultKey()]));
  const sealed = await sealDraft(draft({ type: 'none' }), vault);
  const { tls, previous } = sealed;
  const failed = expect.objectContaining({ code: 'vault_open_failed' });
  for (const moved of [tls.next, tls.retiring, previous?.tls])
    await expect(openSecrets({ ...sealed, tls: { ...tls, clientKey: moved?.clientKey } }, vault)).rejects.toEqual(
      failed,
    );
});

test('what is sealed already is not sealed again', async () => {
  const vault = new Vault(await openKeyring([generateVaultKey()]));
  const once = await sealDraft(draft({ type: 'bearer', token: secret('token') }), vault);
  const twice = await sealDraft({ ...once, auth: { type: 'bearer', token: secret('new') } }, vault);
  expect(twice.tls).toEqual(once.tls);
  expect(twice.auth).not.toEqual(once.auth);
});

test('a secret does not open in another gateway or another field', async () => {
  const vault = new Vault(await openKeyring([generateVaultKey()]));
  const sealed = await sealDraft(draft({ type: 'none' }), vault);
  const failed = expect.objectContaining({ code: 'vault_open_failed' });
  await expect(openSecrets({ ...sealed, id: 'id-2' }, vault)).rejects.toEqual(failed);
  const { clientKeyPassword } = sealed.tls;
  await expect(openSecrets({ ...sealed, tls: { ...sealed.tls, clientKey: clientKeyPassword } }, vault)).rejects.toEqual(
    failed,
  );
});

function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revealed(member)]));
}
