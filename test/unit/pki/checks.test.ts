import { beforeAll, expect, test } from 'vitest';
import {
  checkAnchor,
  checkClientCertificate,
  checkIntermediate,
  checkServerCertificate,
} from '../../../src/pki/checks.ts';
import { mintPki, type MintedCa, type TestPki } from '../../support/pki.ts';

const from = new Date('2026-01-01T00:00:00Z');
const until = new Date('2026-02-01T00:00:00Z');
const inside = Date.parse('2026-01-15T00:00:00Z');
let pki: TestPki;
let ca: MintedCa;

beforeAll(async () => {
  pki = await mintPki();
  ca = await pki.ca('Root', { notBefore: from, notAfter: until });
});

const issue = (eku: 'server' | 'client' | 'both' | 'none') =>
  ca.issue({ cn: 'me', eku, notBefore: from, notAfter: until });

test('accepts a client certificate within its dates, to the second', async () => {
  for (const eku of ['client', 'both', 'none'] as const) {
    const { certificate } = await issue(eku);
    for (const now of [from.getTime(), inside, until.getTime()]) checkClientCertificate(certificate, now);
  }
});

test('refuses a client certificate outside its dates, and says which dates', async () => {
  const { certificate } = await issue('client');
  expect(() => checkClientCertificate(certificate, until.getTime() + 1)).toThrow(
    expect.objectContaining({
      code: 'certificate_expired',
      message: 'the client certificate CN=me expired on 2026-02-01T00:00:00.000Z, now is 2026-02-01T00:00:00.001Z',
    }),
  );
  expect(() => checkClientCertificate(certificate, from.getTime() - 1)).toThrow(
    expect.objectContaining({
      code: 'certificate_not_yet_valid',
      message: 'the client certificate CN=me is valid from 2026-01-01T00:00:00.000Z, now is 2025-12-31T23:59:59.999Z',
    }),
  );
});

test('refuses a client certificate made for servers only', async () => {
  const { certificate } = await issue('server');
  expect(() => checkClientCertificate(certificate, inside)).toThrow(
    expect.objectContaining({ code: 'certificate_wrong_purpose', hint: expect.stringContaining('clientAuth') }),
  );
});

test('judges a server certificate by its own purpose', async () => {
  for (const eku of ['server', 'both', 'none'] as const) checkServerCertificate((await issue(eku)).certificate, inside);
  const { certificate } = await issue('client');
  expect(() => checkServerCertificate(certificate, inside)).toThrow(
    expect.objectContaining({ code: 'certificate_wrong_purpose', hint: expect.stringContaining('serverAuth') }),
  );
  expect(() => checkServerCertificate(certificate, until.getTime() + 1)).toThrow(
    expect.objectContaining({ code: 'certificate_expired' }),
  );
});

test('refuses an expired intermediate', () => {
  checkIntermediate(ca.certificate, inside);
  expect(() => checkIntermediate(ca.certificate, until.getTime() + 1)).toThrow(
    expect.objectContaining({ code: 'certificate_expired', message: expect.stringContaining('the intermediate') }),
  );
});

test('accepts a CA as anchor within its dates', () => {
  checkAnchor(ca.certificate, inside);
  expect(() => checkAnchor(ca.certificate, until.getTime() + 1)).toThrow(
    expect.objectContaining({ code: 'ca_expired' }),
  );
  expect(() => checkAnchor(ca.certificate, from.getTime() - 1)).toThrow(
    expect.objectContaining({
      code: 'certificate_not_yet_valid',
      message: expect.stringContaining('the CA certificate'),
    }),
  );
});

test('refuses an anchor that is no CA and names its issuer', async () => {
  const { certificate } = await issue('server');
  expect(() => checkAnchor(certificate, inside)).toThrow(
    expect.objectContaining({
      code: 'ca_not_a_ca',
      message: 'CN=me, given as a CA certificate, is not a CA',
      hint: 'give the certificate of its issuer, CN=Root',
    }),
  );
});

test('refuses a self-signed server certificate as anchor and gives the pin to use instead', async () => {
  const { certificate } = await pki.selfSigned({ cn: 'server' });
  expect(() => checkAnchor(certificate, Date.now())).toThrow(
    expect.objectContaining({ code: 'ca_not_a_ca', hint: expect.stringContaining(certificate.facts.spkiPin) }),
  );
});
