import { X509Certificate } from 'node:crypto';
import type { Extension, JsonNameParams } from '@peculiar/x509';
import { beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../../../src/pki/certificate.ts';
import type { KeyType } from '../../../src/pki/keys.ts';
import { parseCertificates, parseDerCertificate } from '../../../src/pki/parse.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { loadX509 } from '../../../src/pki/x509.ts';
import { mintPki, type MintedCa } from '../../support/pki.ts';

let ca: MintedCa;

beforeAll(async () => {
  ca = await (await mintPki()).ca('Root');
});

async function selfIssued(parts: JsonNameParams, extensions: Extension[]): Promise<Certificate> {
  const { Name, X509CertificateGenerator } = await loadX509();
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const { rawData } = await X509CertificateGenerator.createSelfSigned({
    name: new Name(parts),
    keys,
    signingAlgorithm,
    extensions,
  });
  return parseDerCertificate(new Uint8Array(rawData));
}

test('tells the facts of a certificate, as node:crypto sees them', async () => {
  const minted = await ca.issue({
    cn: 'server, "quoted"',
    dns: ['localhost', '*.example.org'],
    ip: ['127.0.0.1', '2001:db8::1'],
    uris: ['spiffe://example.org/mcp'],
    emails: ['ops@example.org'],
    eku: 'server',
    notBefore: new Date('2026-01-02T03:04:05Z'),
    notAfter: new Date('2055-01-02T03:04:05Z'),
  });
  const [certificate] = await parseCertificates(minted.certPem, 'certificate_unreadable');
  const judge = new X509Certificate(minted.certPem);
  expect(certificate?.facts).toEqual({
    subject: 'CN=server\\, \\"quoted\\"',
    issuer: 'CN=Root',
    // Deno leaves out a zero at its beginning
    serialNumber: judge.serialNumber.toLowerCase().padStart(minted.certificate.facts.serialNumber.length, '0'),
    notBefore: '2026-01-02T03:04:05.000Z',
    notAfter: '2055-01-02T03:04:05.000Z',
    dnsNames: ['localhost', '*.example.org'],
    ipAddresses: ['127.0.0.1', '2001:db8::1'],
    emails: ['ops@example.org'],
    uris: ['spiffe://example.org/mcp'],
    keyType: 'EC P-256',
    isCa: false,
    sha256: judge.fingerprint256.replaceAll(':', '').toLowerCase(),
    spkiPin: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  });
  expect(certificate?.extendedKeyUsages).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(Buffer.from(certificate?.publicKey ?? [])).toEqual(judge.publicKey.export({ type: 'spki', format: 'der' }));
  expect(certificate?.pem).toBe(minted.certPem);
});

test('writes names in the order of RFC 4514, the most specific part first, safe to print', async () => {
  const name = [{ C: ['GB'] }, { O: [' Example#'] }, { OU: [{ utf8String: 'One+Two\n\u0007' }] }, { CN: ['Old Root'] }];
  const { facts } = await selfIssued(name, []);
  expect(facts.subject).toBe('CN=Old Root,OU=One\\+Two\\0a\\07,O=\\ Example#,C=GB');
});

test('takes an authority for one as TLS libraries do', async () => {
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = await loadX509();
  const isCa = async (extensions: Extension[]) => (await selfIssued([{ CN: ['x'] }], extensions)).facts.isCa;
  const constraints = new BasicConstraintsExtension(true, 0, true);
  expect(await isCa([])).toBe(true);
  expect(await isCa([constraints])).toBe(true);
  expect(await isCa([constraints, new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)])).toBe(true);
  expect(await isCa([constraints, new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)])).toBe(false);
  expect(await isCa([new BasicConstraintsExtension(false)])).toBe(false);
  expect(await isCa([new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)])).toBe(false);
});

test.each<[KeyType, string]>([
  ['rsa2048', 'RSA 2048'],
  ['ec-p256', 'EC P-256'],
  ['ec-p384', 'EC P-384'],
  ['ed25519', 'Ed25519'],
])('reads %s certificates', async (keyType, text) => {
  const { certificate } = await ca.issue({ cn: 'x', keyType });
  expect(certificate.facts.keyType).toBe(text);
});

test('takes every certificate of a bundle, in order, and passes over the key', async () => {
  const inter = await ca.intermediate('Intermediate');
  const leaf = await inter.issue({ cn: 'leaf' });
  const parsed = await parseCertificates(leaf.keyPem + leaf.chainPem + ca.pem, 'certificate_unreadable');
  expect(parsed.map(({ facts }) => facts.subject)).toEqual(['CN=leaf', 'CN=Intermediate', 'CN=Root']);
  expect(parsed.map(({ facts }) => facts.isCa)).toEqual([false, true, true]);
});

test('leaves the extended key usages undefined when a certificate restricts nothing', async () => {
  expect((await ca.issue({ cn: 'x', eku: 'none' })).certificate.extendedKeyUsages).toBeUndefined();
});

test.each(['certificate_unreadable', 'ca_unreadable'] as const)(
  'refuses with %s what holds no certificate',
  async (code) => {
    const { keyPem, certPem, certificate } = await ca.issue({ cn: 'x' });
    const der = certificate.der;
    const cases: [string, RegExp][] = [
      ['', /no BEGIN line/],
      [Buffer.from(der).toString('latin1'), /no BEGIN line/],
      [keyPem, /expected a CERTIFICATE block, met only PRIVATE KEY/],
      [toPem('CERTIFICATE', new Uint8Array([0x30, 0x03, 1, 1, 0])), /certificate 1 of 1 .* not an X\.509 certificate/],
      [certPem + toPem('CERTIFICATE', der.subarray(0, -1)), /certificate 2 of 2/],
      [toPem('CERTIFICATE', Uint8Array.of(...der, 0)), /certificate 1 of 1/],
      [toPem('CERTIFICATE', Uint8Array.of(...der, 5, 0)), /certificate 1 of 1/],
      [toPem('CERTIFICATE', new TextEncoder().encode('hello')), /certificate 1 of 1/],
      [keyPem.replaceAll('PRIVATE KEY', 'CERTIFICATE'), /certificate 1 of 1/],
    ];
    for (const [text, message] of cases) {
      await expect(parseCertificates(text, code)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    }
  },
);

test('survives every single-octet corruption with a refusal or a certificate', async () => {
  const { certificate } = await ca.issue({ cn: 'x', dns: ['localhost'] });
  for (let at = 0; at < certificate.der.length; at++) {
    const der = Uint8Array.from(certificate.der);
    der[at] = (der[at] ?? 0) ^ 0xff;
    const outcome = await parseCertificates(toPem('CERTIFICATE', der), 'ca_unreadable').catch(
      (error: unknown) => error,
    );
    if (outcome instanceof Error) expect(outcome).toHaveProperty('code', 'ca_unreadable');
  }
});

test('passes over names of kinds it does not know', async () => {
  const { Extension } = await loadX509();
  const dns = Uint8Array.of(0x82, 3, ...Buffer.from('a.b'));
  const otherName = Uint8Array.of(0xa0, 10, 0x06, 3, 0x2a, 3, 4, 0xa0, 3, 0x0c, 1, 0x78);
  const names = new Extension(
    '2.5.29.17',
    false,
    Uint8Array.of(0x30, dns.length + otherName.length, ...otherName, ...dns),
  );
  expect((await selfIssued([{ CN: ['device'] }], [names])).facts.dnsNames).toEqual(['a.b']);
});

test('reads DER as a handshake presents it', async () => {
  expect((await parseDerCertificate(ca.certificate.der)).facts).toEqual(ca.certificate.facts);
});
