import { beforeAll, expect, test } from 'vitest';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { materialName, openProfiles, presentedBy, profileWith } from '../../../src/registry/gateway-profiles.ts';
import type { GatewayProfiles, OpenedIdentity } from '../../../src/registry/gateway-profiles.ts';
import type { GatewayTls } from '../../../src/registry/gateway-record.ts';
import type { TrustBundle } from '../../../src/tls/profile.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { testCapabilities } from '../../support/open-test-profile.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../../support/pki.ts';

const DAY_MS = 86_400_000;
let former: MintedCa;
let coming: MintedCa;
let current: MintedCertificate;
let next: MintedCertificate;

beforeAll(async () => {
  const pki = await mintPki();
  former = await pki.ca('Former');
  coming = await pki.ca('Coming');
  current = await former.issue({ cn: 'current' });
  next = await coming.issue({ cn: 'next' });
});

const options = (capabilities = testCapabilities) => ({
  openKey,
  capabilities,
  allowInsecureTls: false,
  clock: new ManualClock(Date.now()),
  readList: () => Promise.reject(new Error('no lists here')),
  revocationFailure: 'closed' as const,
  readFile: (path: string) => Promise.reject(new GatewayError('file_refused', `${path} is not there`)),
});
const open = (tls: GatewayTls<Secret>): Promise<GatewayProfiles> => openProfiles(tls, options());
const ca = ({ pem }: MintedCa) => ({ caCertificate: { pem } });
const identity = ({ chainPem, keyPem }: MintedCertificate) => ({
  clientCert: { pem: chainPem },
  clientKey: new Secret(keyPem),
});
const believed = (trust: TrustBundle | undefined) =>
  trust && [trust.mode, ...(trust.mode === 'system' ? [] : trust.anchors.map(({ facts }) => facts.subject))];
const shown = (opened: OpenedIdentity | undefined) =>
  opened && [opened.identity?.chain[0]?.facts.subject, believed(opened.trust)];

test('alone, the current identity has its own trust', async () => {
  const profiles = await open({ ...ca(former), ...identity(current) });
  expect(believed(profiles.main.trust)).toEqual(['only', 'CN=Former']);
  expect(shown(profiles.current)).toEqual(['CN=current', ['only', 'CN=Former']]);
  expect([profiles.next, profiles.retiring, profiles.refusal]).toEqual([undefined, undefined, undefined]);
});

test('with a next identity both are believed, and the current one is presented', async () => {
  const profiles = await open({ ...ca(former), ...identity(current), next: { ...ca(coming), ...identity(next) } });
  expect(believed(profiles.main.trust)).toEqual(['only', 'CN=Former', 'CN=Coming']);
  expect(profiles.main.identity?.chain[0]?.facts.subject).toBe('CN=current');
  expect(shown(profiles.current)).toEqual(['CN=current', ['only', 'CN=Former']]);
  expect(shown(profiles.next)).toEqual(['CN=next', ['only', 'CN=Coming']]);
});

test.each<[string, () => GatewayTls<Secret>, string[]]>([
  ['the default set and a CA to come', () => ({ next: ca(coming) }), ['add', 'CN=Coming']],
  [
    'a CA, and the default set retiring',
    () => ({ ...ca(coming), retiring: { defaultSet: true } }),
    ['add', 'CN=Coming'],
  ],
  ['a CA, and one retiring', () => ({ ...ca(coming), retiring: ca(former) }), ['only', 'CN=Coming', 'CN=Former']],
  ['ca_mode add', () => ({ ...ca(former), caMode: 'add', next: ca(coming) }), ['add', 'CN=Former', 'CN=Coming']],
  ['an identity to come alone', () => ({ next: identity(next) }), ['system']],
])('whoever one of them trusts is believed: %s', async (_what, tls, trust) => {
  expect(believed((await open(tls())).main.trust)).toEqual(trust);
});

test('a platform that cannot believe both is refused', async () => {
  const wanting = openProfiles({ next: ca(coming) }, options({ ...testCapabilities, caAdd: false }));
  await expect(wanting).rejects.toMatchObject({
    code: 'capability_unsupported',
    message: expect.stringContaining('caAdd'),
  });
});

test('another identity is presented under the trust of all, and is told from the current one', async () => {
  const profiles = await open({ ...ca(former), ...identity(current), next: { ...ca(coming), ...identity(next) } });
  const standIn = profileWith(profiles, 'next');
  expect(standIn?.identity?.chain[0]?.facts.subject).toBe('CN=next');
  expect(standIn?.trust).toBe(profiles.main.trust);
  expect(standIn?.fingerprint).not.toBe(profiles.main.fingerprint);
  expect(profileWith(profiles, 'current')).toBe(profiles.main);
  expect(profileWith(profiles, 'retiring')).toBeUndefined();
  expect(standIn && presentedBy(standIn, profiles)).toBe('next');
  expect(presentedBy(profiles.main, profiles)).toBe('current');
});

test('standing in and being promoted are one profile, so that a promotion need not connect', async () => {
  const before = await open({ ...ca(former), ...identity(current), next: { ...ca(coming), ...identity(next) } });
  const after = await open({ ...ca(coming), ...identity(next), retiring: { ...ca(former), ...identity(current) } });
  expect(profileWith(before, 'next')?.fingerprint).toBe(after.main.fingerprint);
});

test('what is to come may begin later, and what goes may have run out', async () => {
  const pki = await mintPki();
  const expired = { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  const later = { notBefore: new Date(Date.now() + DAY_MS) };
  const [old, young] = [await pki.ca('Old', expired), await pki.ca('Young', later)];
  const profiles = await open({
    ...ca(former),
    ...identity(current),
    next: { ...ca(young), ...identity(await young.issue({ cn: 'young', ...later })) },
    retiring: { ...ca(old), ...identity(await old.issue({ cn: 'old', ...expired })) },
  });
  expect(profiles.refusal).toBeUndefined();
  expect(shown(profiles.next)).toEqual(['CN=young', ['only', 'CN=Young']]);
  expect(shown(profiles.retiring)).toEqual(['CN=old', ['only', 'CN=Old']]);
});

test('a next identity that cannot be used takes neither the current one out of service nor its own trust away', async () => {
  const profiles = await open({
    ...ca(former),
    ...identity(current),
    next: { ...ca(coming), clientCert: { file: '/gone.crt' }, clientKey: { file: '/gone.key' } },
  });
  expect(profiles.refusal).toMatchObject({ code: 'file_refused' });
  expect(believed(profiles.main.trust)).toEqual(['only', 'CN=Former', 'CN=Coming']);
  expect(profileWith(profiles, 'next')).toBeUndefined();
});

test('the name of what it stands for changes with identity and trust, not with a renewed revocation list', async () => {
  const nameOf = async (tls: GatewayTls<Secret>) => materialName((await open(tls)).main);
  const base = { ...ca(former), ...identity(current) };
  const name = await nameOf(base);
  expect(await nameOf({ ...base, crl: { pem: await former.crl([]) } })).toBe(name);
  const others = [identity(next), { serverName: 'other.example' }, { retiring: ca(coming) }, ca(coming)];
  for (const other of others) expect(await nameOf({ ...base, ...other })).not.toBe(name);
});

test('an identity of the platform stands beside another one, by name', async () => {
  const bound = { ...options({ ...testCapabilities, binding: true }), bindings: new Set(['OLD', 'NEW']) };
  const profiles = await openProfiles({ clientBinding: 'OLD', next: { clientBinding: 'NEW' } }, bound);
  expect(profiles.main.identity).toEqual({ binding: 'OLD', chain: [] });
  const coming = profileWith(profiles, 'next');
  expect(coming?.identity).toEqual({ binding: 'NEW', chain: [] });
  expect(coming && presentedBy(coming, profiles)).toBe('next');
});

test('of an identity to come that the platform cannot honour nothing is read', async () => {
  const unable = options({ ...testCapabilities, dynamicIdentity: false });
  const coming = { clientCert: { pem: 'no PEM at all' }, clientKey: new Secret('no key') };
  const { refusal } = await openProfiles({ next: coming }, unable);
  expect(refusal).toMatchObject({ code: 'capability_unsupported', details: { capabilities: ['dynamicIdentity'] } });
});
