import { beforeAll, describe, expect, test } from 'vitest';
import { buildSecureContext } from '../../../adapters/node-compat/dialer/secure-context.ts';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { GatewayError, type ErrorCode } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { openProfile } from '../../../src/tls/open-profile.ts';
import type { TlsMaterial, TlsVersion } from '../../../src/tls/profile.ts';
import { identityOf, testCapabilities, profileOf } from '../../support/open-test-profile.ts';
import { keyForm, type MintedCa, type MintedCertificate, mintPki, type TestPki } from '../../support/pki.ts';

const DAY_MS = 86_400_000;
let pki: TestPki;
let ca: MintedCa;
let client: MintedCertificate;

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('root');
  client = await ca.issue({ cn: 'client', eku: 'client' });
});

async function codeOf(material: TlsMaterial): Promise<ErrorCode | 'opened'> {
  try {
    await profileOf(material);
    return 'opened';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

test('nothing given means the strict defaults: system trust, verified, TLS 1.2 or newer', async () => {
  const profile = await profileOf({});
  expect(profile).toMatchObject({
    identity: undefined,
    trust: { mode: 'system' },
    serverName: undefined,
    checkHostname: true,
    verify: true,
    minVersion: 'TLSv1.2',
    crls: [],
    pins: [],
  });
  expect(profile.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.isFrozen(profile)).toBe(true);
});

test('a CA replaces the default set unless it is said to add', async () => {
  expect((await profileOf({ caCertificate: ca.pem })).trust.mode).toBe('only');
  expect((await profileOf({ caCertificate: ca.pem, caMode: 'add' })).trust.mode).toBe('add');
});

test('one identity in three spellings has one fingerprint, another key another', async () => {
  const encrypted = keyForm(client.keyPem, { passphrase: 'pass' });
  const clientKeyPassword = new Secret('pass');
  const spellings: TlsMaterial[] = [
    identityOf(client),
    { clientCertificate: client.bundlePem },
    { clientCertificate: client.certPem, clientKey: new Secret(encrypted), clientKeyPassword },
    { clientCertificate: `\ufeffa note\n${client.certPem}`, clientKey: new Secret(keyForm(client.keyPem, 'sec1')) },
  ];
  const fingerprints = await Promise.all(spellings.map(async (material) => (await profileOf(material)).fingerprint));
  expect(new Set(fingerprints).size).toBe(1);
  const other = await profileOf(identityOf(await ca.issue({ cn: 'client', eku: 'client' })));
  expect(other.fingerprint).not.toBe(fingerprints[0]);
});

test.each([`q${'A'.repeat(42)}=`, `/${'A'.repeat(42)}=`, `//${'A'.repeat(41)}=`])(
  'the pin %s is taken in the forms other tools print and kept in one',
  async (pin) => {
    const profile = await profileOf({ pins: [pin, `sha256/${pin}`, `sha256//${pin}`] });
    expect(profile.pins).toEqual([pin, pin, pin]);
  },
);

test('a server name is kept as certificates carry it', async () => {
  expect((await profileOf({ serverName: 'MCP.Example' })).serverName).toBe('mcp.example');
});

describe('refused before any handshake', () => {
  const rows: readonly (readonly [
    what: string,
    code: ErrorCode,
    material: () => Promise<TlsMaterial> | TlsMaterial,
  ])[] = [
    ['a certificate without its key', 'key_missing', () => ({ clientCertificate: client.chainPem })],
    ['a key without its certificate', 'certificate_missing', () => ({ clientKey: new Secret(client.keyPem) })],
    ['a passphrase alone', 'key_missing', () => ({ clientKeyPassword: new Secret('pass') })],
    ['an empty certificate', 'certificate_unreadable', () => ({ ...identityOf(client), clientCertificate: '' })],
    ['a key in the certificate field', 'certificate_unreadable', () => ({ clientCertificate: client.keyPem })],
    ['a certificate in the key field', 'key_unreadable', () => withKey(client.certPem)],
    ['two keys', 'key_unreadable', async () => withKey(client.keyPem + (await ca.issue({ cn: 'b' })).keyPem)],
    ['a key of an unknown kind', 'key_unreadable', () => withKey(client.keyPem.replace(/\n.{8}/, '\nAAAAAAAA'))],
    ['the key of another', 'key_mismatch', async () => withKey((await ca.issue({ cn: 'b' })).keyPem)],
    ['the CA’s key', 'key_mismatch', () => withKey(ca.keyPem)],
    ['no passphrase', 'key_passphrase_wrong', () => withKey(keyForm(client.keyPem, { passphrase: 'right' }))],
    [
      'a wrong passphrase',
      'key_passphrase_wrong',
      () => ({
        ...withKey(keyForm(client.keyPem, { passphrase: 'right' })),
        clientKeyPassword: new Secret('wrong'),
      }),
    ],
    ['an expired certificate', 'certificate_expired', async () => identityOf(await issue({ from: -3, until: -1 }))],
    ['one of tomorrow', 'certificate_not_yet_valid', async () => identityOf(await issue({ from: 1, until: 2 }))],
    [
      'one for servers only',
      'certificate_wrong_purpose',
      async () => identityOf(await ca.issue({ cn: 'web', eku: 'server' })),
    ],
    [
      'a chain with a gap',
      'chain_broken',
      async () => {
        const lower = await (await ca.intermediate('upper')).intermediate('lower');
        const below = await lower.issue({ cn: 'below', eku: 'client' });
        return { clientCertificate: below.certPem + ca.pem, clientKey: new Secret(below.keyPem) };
      },
    ],
    [
      'an expired intermediate',
      'certificate_expired',
      async () => {
        const old = await ca.intermediate('old', { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) });
        return identityOf(await old.issue({ cn: 'below', eku: 'client' }));
      },
    ],
    ['a CA that is none', 'ca_not_a_ca', () => ({ caCertificate: client.certPem })],
    [
      'an expired CA',
      'ca_expired',
      async () => ({
        caCertificate: (await pki.ca('x', { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) })).pem,
      }),
    ],
    ['an empty CA', 'ca_unreadable', () => ({ caCertificate: '' })],
    ['a CA that is no PEM', 'ca_unreadable', () => ({ caCertificate: 'root.pem' })],
    ['a way to use no CA', 'config_invalid', () => ({ caMode: 'add' })],
    ['an unknown way', 'config_invalid', () => ({ caCertificate: ca.pem, caMode: 'both' as 'add' })],
    ['a CRL that is none', 'crl_unreadable', () => ({ caCertificate: ca.pem, crl: ca.pem })],
    [
      'a forged CRL',
      'crl_unreadable',
      async () => ({ caCertificate: ca.pem, crl: await (await pki.ca('root')).crl([]) }),
    ],
    ['a pin of 31 bytes', 'pin_invalid', () => ({ pins: [Buffer.alloc(31).toString('base64')] })],
    ['a hexadecimal pin', 'pin_invalid', () => ({ pins: ['ab'.repeat(32)] })],
    ['a pin of another hash', 'pin_invalid', () => ({ pins: [`sha1/${client.certificate.facts.spkiPin}`] })],
    ['TLS 1.1', 'config_invalid', () => ({ minVersion: 'TLSv1.1' as TlsVersion })],
    ['a server name with a port', 'config_invalid', () => ({ serverName: 'mcp.example:443' })],
    ['a server name with a path', 'config_invalid', () => ({ serverName: 'mcp.example/x' })],
    ['an empty server name', 'config_invalid', () => ({ serverName: '' })],
  ];

  test.each(rows)('%s: %s', async (_, code, material) => {
    expect(await codeOf(await material())).toBe(code);
  });

  function withKey(keyPem: string): TlsMaterial {
    return { clientCertificate: client.certPem, clientKey: new Secret(keyPem) };
  }

  function issue({ from, until }: { from: number; until: number }): Promise<MintedCertificate> {
    return ca.issue({ cn: 'dated', eku: 'client', notBefore: daysFromNow(from), notAfter: daysFromNow(until) });
  }
});

describe('what a platform or an operator does not allow', () => {
  const options = { openKey, nowMs: Date.now(), capabilities: testCapabilities, allowInsecureTls: false };

  test.each([
    ['verify', { verify: false }],
    ['checkHostname', { checkHostname: false }],
  ])('%s off needs consent', async (_, material) => {
    await expect(openProfile(material, options)).rejects.toMatchObject({ code: 'insecure_tls_refused' });
    await expect(openProfile(material, { ...options, allowInsecureTls: true })).resolves.toMatchObject(material);
  });

  test('a capability that is missing is named, with the field that needs it', async () => {
    const materials: readonly (readonly [keyof typeof testCapabilities, TlsMaterial])[] = [
      ['caOnly', { caCertificate: ca.pem }],
      ['caAdd', { caCertificate: ca.pem, caMode: 'add' }],
      ['clientCertificate', identityOf(client)],
      ['dynamicIdentity', identityOf(client)],
      ['encryptedKey', { ...identityOf(client), clientKeyPassword: new Secret('pass') }],
      ['serverName', { serverName: 'mcp.example' }],
      ['skipHostname', { checkHostname: false }],
      ['skipVerify', { verify: false }],
      ['minVersion', { minVersion: 'TLSv1.3' }],
      ['crl', { caCertificate: ca.pem, crl: await ca.crl([]) }],
      ['pins', { pins: [client.certificate.facts.spkiPin] }],
    ];
    for (const [capability, material] of materials) {
      const capabilities = { ...testCapabilities, [capability]: false };
      const opening = openProfile(material, { ...options, allowInsecureTls: true, capabilities });
      await expect(opening).rejects.toMatchObject({
        code: 'capability_unsupported',
        message: expect.stringContaining(capability) as string,
        details: { capabilities: [capability] },
      });
    }
  });
});

describe('an identity the platform has', () => {
  const capabilities = { ...testCapabilities, binding: true };
  const bindings = new Set(['WAREHOUSE', 'OTHER']);
  const open = (material: TlsMaterial, rest: object = { capabilities, bindings }) =>
    openProfile(material, { openKey, nowMs: Date.now(), capabilities, allowInsecureTls: false, ...rest });

  test('is presented by name, and told from every other', async () => {
    const [one, other, none] = await Promise.all([
      open({ clientBinding: 'WAREHOUSE' }),
      open({ clientBinding: 'OTHER' }),
      open({}),
    ]);
    expect(one.identity).toEqual({ binding: 'WAREHOUSE', chain: [] });
    expect(new Set([one, other, none].map(({ fingerprint }) => fingerprint)).size).toBe(3);
  });

  test('is refused where there is none of that name, and beside a certificate', async () => {
    for (const rest of [{}, { bindings: new Set<string>() }, { bindings }])
      await expect(open({ clientBinding: 'NOWHERE' }, rest)).rejects.toMatchObject({ code: 'binding_not_found' });
    await expect(open({ clientBinding: 'WAREHOUSE', ...identityOf(client) })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });

  test('is refused where the platform has none at all, and never dialled without', async () => {
    await expect(open({ clientBinding: 'WAREHOUSE' }, { capabilities: testCapabilities })).rejects.toMatchObject({
      code: 'capability_unsupported',
      details: { capabilities: ['binding'] },
    });
    const bound = await open({ clientBinding: 'WAREHOUSE' });
    expect(() => buildSecureContext(bound)).toThrow();
  });
});

test('what a platform cannot honour is refused before anything of it is read', async () => {
  const capabilities = { ...testCapabilities, caOnly: false };
  const opening = openProfile(
    { caCertificate: 'no PEM at all' },
    { openKey, nowMs: Date.now(), capabilities, allowInsecureTls: false },
  );
  await expect(opening).rejects.toMatchObject({ code: 'capability_unsupported' });
});

test('no error quotes key material', async () => {
  const canary = Buffer.from('canary key material that must not show').toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----\n`;
  const passphrase = 'canary passphrase';
  for (const [clientKey, clientCertificate] of [
    [pem, client.certPem],
    [pem.replace('PRIVATE', 'ENCRYPTED PRIVATE'), client.certPem],
    [client.keyPem, pem],
  ] as const) {
    const material = { clientCertificate, clientKey: new Secret(clientKey), clientKeyPassword: new Secret(passphrase) };
    const error = await profileOf(material).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayError);
    const { message, stack, hint, details, cause } = error as GatewayError;
    const shown = JSON.stringify([message, stack, hint, details, String(cause)]);
    for (const secret of [canary, passphrase, client.keyPem.split('\n')[1] ?? 'no key'])
      expect(shown).not.toContain(secret);
    expect(cause).toBeUndefined();
  }
});

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
