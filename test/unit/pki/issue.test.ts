import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { issueCrl } from '../../../src/pki/issue-crl.ts';
import { createAuthority, issueCertificate, type IssuedCertificate } from '../../../src/pki/issue.ts';
import type { KeyType } from '../../../src/pki/keys.ts';

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date('2060-01-01T00:00:00Z') };
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-pki-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test.each<KeyType>(['rsa2048', 'rsa3072', 'ec-p256', 'ec-p384', 'ed25519'])(
  '%s: openssl verifies the chain strictly',
  async (keyType) => {
    const subject = { commonName: 'Root', organization: 'Postern', organizationalUnit: 'Test' };
    const root = await createAuthority({ subject, keyType, ...validity });
    const intermediate = await createAuthority(
      { subject: { commonName: 'Inter' }, keyType, pathLength: 0, ...validity },
      root,
    );
    const leaf = await issueCertificate(intermediate, {
      subject: { commonName: 'leaf' },
      keyType,
      purpose: 'both',
      ...validity,
    });
    const files = {
      root: write('root.pem', root.certificate.pem),
      inter: write('inter.pem', intermediate.certificate.pem),
    };
    const leafFile = write('leaf.pem', leaf.certificate.pem);
    for (const purpose of ['sslclient', 'sslserver'])
      expect(
        openssl(
          'verify',
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          files.root,
          '-untrusted',
          files.inter,
          leafFile,
        ),
      ).toContain('OK');
    const judge = new X509Certificate(leaf.certificate.pem);
    expect(judge.checkPrivateKey(createPrivateKey(leaf.privateKey.reveal()))).toBe(true);
    const crl = write(
      'crl.pem',
      await issueCrl(root, { revokedSerialNumbers: ['7f'], thisUpdate: new Date(), nextUpdate: validity.notAfter }),
    );
    expect(openssl('crl', '-in', crl, '-CAfile', files.root, '-noout', '-text')).toMatch(
      /CRL Number[^]*Serial Number: 7F/,
    );
  },
);

test('writes the extensions each purpose needs', async () => {
  const root = await createAuthority({ subject: { commonName: 'Root' }, keyType: 'ec-p256', ...validity });
  const names = { dnsNames: ['a.b'], ipAddresses: ['127.0.0.1', '::1'], emails: ['a@b.c'], uris: ['spiffe://x/y'] };
  const text = async (purpose: 'server' | 'client' | 'none', keyType: KeyType) => {
    const request = { subject: { commonName: 'x' }, keyType, purpose, ...names, ...validity };
    const issued = await issueCertificate(root, request);
    return openssl('x509', '-in', write('x.pem', issued.certificate.pem), '-noout', '-text');
  };
  const server = await text('server', 'rsa2048');
  expect(server).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
  expect(server).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
  expect(server).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\n/);
  expect(server).toContain('DNS:a.b, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, email:a@b.c, URI:spiffe://x/y');
  const client = await text('client', 'ec-p256');
  expect(client).toMatch(/Key Usage: critical\s+Digital Signature\n/);
  expect(client).toMatch(/Extended Key Usage:\s+TLS Web Client Authentication\n/);
  expect(await text('none', 'ed25519')).not.toContain('Extended Key Usage');
  const authority = openssl('x509', '-in', write('root.pem', root.certificate.pem), '-noout', '-text');
  expect(authority).toMatch(/Basic Constraints: critical\s+CA:TRUE/);
  expect(authority).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  const [ownKey] = /(?<=Subject Key Identifier:\s+)[0-9A-F:]+/.exec(authority) ?? [];
  expect(client).toMatch(new RegExp(`Authority Key Identifier:\\s+(keyid:)?${ownKey}`));
});

test('takes names as they are', async () => {
  const commonName = 'a,b "c" #d\\ =é';
  const root = await createAuthority({ subject: { commonName, organization: '#00' }, keyType: 'ec-p256', ...validity });
  expect(new X509Certificate(root.certificate.pem).toLegacyObject().subject).toEqual({ O: '#00', CN: commonName });
});

test('draws serial numbers of 128 random bits, positive', async () => {
  const root = await createAuthority({ subject: { commonName: 'Root' }, keyType: 'ec-p256', ...validity });
  const request = { subject: { commonName: 'x' }, keyType: 'ec-p256', purpose: 'client', ...validity } as const;
  const issued = await Promise.all(Array.from({ length: 40 }, () => issueCertificate(root, request)));
  const serials = issued.map(({ certificate }) => certificate.facts.serialNumber);
  expect(new Set(serials).size).toBe(40);
  for (const serial of serials) expect(serial.length).toBeGreaterThanOrEqual(30);
  const highBit = issued.find(({ certificate }) => /^[89a-f]/.test(certificate.facts.serialNumber));
  expect(openssl('x509', '-in', write('s.pem', highBit?.certificate.pem ?? ''), '-noout', '-serial')).not.toContain(
    '-',
  );
});

test('refuses an authority whose key is not its own, or no key', async () => {
  const subject = { commonName: 'Root' };
  const one = await createAuthority({ subject, keyType: 'ec-p256', ...validity });
  const other = await createAuthority({ subject, keyType: 'ec-p256', ...validity });
  const curve = await createAuthority({ subject, keyType: 'ec-p384', ...validity });
  const request = { subject, keyType: 'ec-p256', purpose: 'client', ...validity } as const;
  const issueWith = (privateKey: Secret) => {
    const authority: IssuedCertificate = { certificate: one.certificate, privateKey };
    return issueCertificate(authority, request);
  };
  await expect(issueWith(other.privateKey)).rejects.toMatchObject({ code: 'key_mismatch' });
  await expect(issueWith(curve.privateKey)).rejects.toMatchObject({ code: 'key_unreadable' });
  await expect(issueWith(new Secret('nonsense'))).rejects.toMatchObject({ code: 'key_unreadable' });
  await expect(issueWith(new Secret('nonsense'))).rejects.not.toHaveProperty('cause');
});
