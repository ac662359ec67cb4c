import { beforeEach, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { rememberingTls } from '../../../src/registry/former-tls.ts';
import type { GatewayConfig, GatewayDraft, GatewayRecord, GatewayTls } from '../../../src/registry/gateway-record.ts';
import { openSecrets, sealDraft } from '../../../src/registry/gateway-secrets.ts';
import { UNKNOWN_HISTORY } from '../../../src/registry/record-view.ts';
import { isSame } from '../../../src/registry/same-config.ts';
import type { ReadableGateway } from '../../../src/registry/snapshot.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { mintKeyring, mintVault } from '../../support/vault.ts';

let vault: Vault;
beforeEach(async () => {
  vault = await mintVault();
});

const FORMER: GatewayTls<Secret> = { clientCert: { pem: 'CERT' }, clientKey: new Secret('key'), pins: ['a', 'b'] };
const draftWith = (tls: GatewayTls<Secret>, rest: Partial<GatewayConfig<Secret>> = {}): GatewayConfig<Secret> => ({
  id: 'id-1',
  slug: 'a',
  name: 'a',
  url: 'https://127.0.0.1:1/',
  transport: 'auto',
  prefix: 'a_',
  enabled: true,
  passthroughHeaders: [],
  auth: { type: 'none' },
  tls,
  labels: {},
  ...rest,
});
/** A gateway as it was stored and read again. */
const stored = async (draft: GatewayDraft): Promise<ReadableGateway> => ({
  id: draft.id,
  record: { ...(JSON.parse(JSON.stringify(await sealDraft(draft, vault))) as GatewayRecord), history: UNKNOWN_HISTORY },
  version: 'v',
  upstream: undefined,
  profiles: undefined,
  refusal: undefined,
});
const remember = async (before: ReadableGateway, tls: GatewayDraft['tls']) => {
  const draft = await rememberingTls({ ...before.record, tls }, before, undefined, vault);
  return openSecrets(draft, vault);
};

test('what the TLS side was is kept, sealed for where it stands now', async () => {
  const before = await stored(draftWith(FORMER));
  const { previous } = await remember(before, { ...before.record.tls, minTlsVersion: 'TLSv1.3' });
  expect(previous?.tls).toMatchObject({ clientCert: { pem: 'CERT' }, pins: ['a', 'b'] });
  expect(isSame(previous?.tls.clientKey, new Secret('key'))).toBe(true);
  const again = await stored(await remember(before, { pins: ['c'] }));
  expect((await openSecrets(again.record, vault)).previous?.tls.clientKey).toBeInstanceOf(Secret);
});

test('one step is kept, not the steps before it', async () => {
  const first = await stored(draftWith(FORMER));
  const second = await stored(await remember(first, { pins: ['c'] }));
  const third = await remember(second, { pins: ['d'] });
  expect(third.previous?.tls.pins).toEqual(['c']);
  expect(third.previous).not.toHaveProperty('tls.previous');
});

test.each<[string, GatewayTls<Secret>]>([
  ['the same', { ...FORMER }],
  ['in another order', { pins: ['a', 'b'], clientKey: new Secret('key'), clientCert: { pem: 'CERT' } }],
  ['with absent members written out', { ...FORMER, next: undefined, caMode: undefined }],
])('a TLS side that is %s is no change: what was before stays what it was', async (_what, tls) => {
  const first = await stored(draftWith({ pins: ['first'] }));
  const second = await stored(await remember(first, FORMER));
  expect((await remember(second, tls)).previous?.tls.pins).toEqual(['first']);
});

test.each<[string, GatewayTls<Secret>]>([
  ['another key', { ...FORMER, clientKey: new Secret('other') }],
  ['a key in a file', { ...FORMER, clientKey: { file: '/key.pem' } }],
  ['fewer pins', { ...FORMER, pins: ['a'] }],
  ['a next identity', { ...FORMER, next: { clientCert: { pem: 'NEXT' } } }],
  ['nothing', {}],
])('%s is a change', async (_what, tls) => {
  const { previous } = await remember(await stored(draftWith(FORMER)), tls);
  expect(previous?.tls.pins).toEqual(['a', 'b']);
});

test('what cannot be opened any more is not kept, and does not stand in the way of what replaces it', async () => {
  const before = await stored(draftWith(FORMER));
  vault.use(await mintKeyring('other'));
  expect((await remember(before, { pins: ['c'] })).previous).toBeUndefined();
});

test('a gateway that becomes a program, or was one, has no TLS side to go back to', async () => {
  const before = await stored(draftWith(FORMER));
  const program = await rememberingTls({ ...before.record, url: undefined, tls: {} }, before, undefined, vault);
  expect(program.previous).toBeUndefined();
  const back = await rememberingTls(draftWith(FORMER), await stored(program), undefined, vault);
  expect(back.previous).toBeUndefined();
  expect((await rememberingTls(draftWith(FORMER), undefined, undefined, vault)).previous).toBeUndefined();
});
