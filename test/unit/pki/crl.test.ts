import { beforeAll, expect, test } from 'vitest';
import { checkCrlIssuer, crlFacts, openCrl, parseCrls } from '../../../src/pki/crl.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { mintPki, type MintedCa, type TestPki } from '../../support/pki.ts';

let pki: TestPki;
let ca: MintedCa;
let crl: string;

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('Root');
  crl = await ca.crl(['0a', 'ff00'], {
    thisUpdate: new Date(1_700_000_000_000),
    nextUpdate: new Date(1_800_000_000_000),
  });
});

test('tells the facts of a list', async () => {
  expect(await crlFacts(crl)).toEqual({
    issuer: 'CN=Root',
    thisUpdate: '2023-11-14T22:13:20.000Z',
    nextUpdate: '2027-01-15T08:00:00.000Z',
    revokedCount: 2,
  });
  expect(await crlFacts(await ca.crl([]))).toMatchObject({ revokedCount: 0 });
});

test('splits several lists into one PEM each', async () => {
  const other = await (await pki.ca('Other')).crl([]);
  expect(await parseCrls(`# two lists\n${crl}${other}`)).toEqual([crl, other]);
});

test('refuses what is no list', async () => {
  const cases: [string, RegExp][] = [
    ['', /met no PEM block at all/],
    [ca.pem, /met CERTIFICATE/],
    [crl + ca.pem, /met CERTIFICATE/],
    [toPem('X509 CRL', ca.certificate.der), /not a certificate revocation list/],
    [toPem('X509 CRL', new Uint8Array([0x30, 0])), /not a certificate revocation list/],
  ];
  for (const [pem, message] of cases)
    await expect(parseCrls(pem)).rejects.toMatchObject({
      code: 'crl_unreadable',
      message: expect.stringMatching(message),
    });
});

test.each(['rsa2048', 'ec-p256', 'ec-p384', 'ed25519'] as const)(
  'verifies the signature of an %s authority',
  async (keyType) => {
    const authority = await pki.ca('Root', { keyType });
    await checkCrlIssuer(await authority.crl([]), [ca.certificate, authority.certificate]);
  },
);

test('verifies an intermediate whose own certificate was signed with another kind of key', async () => {
  const intermediate = await ca.intermediate('Intermediate', { keyType: 'ed25519' });
  await checkCrlIssuer(await intermediate.crl([]), [intermediate.certificate]);
});

test('refuses a list under the name of an authority that did not sign it', async () => {
  const impostor = await pki.ca('Root');
  await expect(checkCrlIssuer(crl, [impostor.certificate])).rejects.toMatchObject({
    code: 'crl_unreadable',
    message: 'the revocation list of CN=Root is not signed by the CA of that name',
  });
});

test('lets a list of an authority it was not given pass', async () => {
  await checkCrlIssuer(crl, [(await pki.ca('Other')).certificate]);
});

test('an entry has no empty list of extensions, which strict readers refuse', async () => {
  const { entries } = await openCrl(crl);
  expect(entries.map(({ extensions }) => extensions.length)).toEqual([1, 1]);
});
