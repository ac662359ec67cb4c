import { beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { orderChain } from '../../../src/pki/chain.ts';
import { issueCertificate } from '../../../src/pki/issue.ts';
import { mintPki, type MintedCa, type MintedCertificate, type TestPki } from '../../support/pki.ts';

let pki: TestPki;
let root: MintedCa;
let upper: MintedCa;
let lower: MintedCa;
let leaf: MintedCertificate;

beforeAll(async () => {
  pki = await mintPki();
  root = await pki.ca('Root');
  upper = await root.intermediate('Upper', { keyType: 'ed25519' });
  lower = await upper.intermediate('Lower', { keyType: 'ec-p384' });
  leaf = await lower.issue({ cn: 'leaf' });
});

const subjects = (chain: readonly Certificate[]) => chain.map(({ facts }) => facts.subject);

test('puts shuffled certificates in order and drops repeated ones', async () => {
  const given = [root, lower, leaf, upper, lower].map(({ certificate }) => certificate);
  expect(subjects(await orderChain(given))).toEqual(['CN=leaf', 'CN=Lower', 'CN=Upper', 'CN=Root']);
});

test('accepts a leaf alone, a chain without its root, and an authority alone', async () => {
  expect(subjects(await orderChain([leaf.certificate]))).toEqual(['CN=leaf']);
  expect(subjects(await orderChain([leaf.certificate, lower.certificate]))).toEqual(['CN=leaf', 'CN=Lower']);
  expect(subjects(await orderChain([root.certificate]))).toEqual(['CN=Root']);
});

test('compares names as RFC 5280 says, not letter by letter', async () => {
  const odd = await (await pki.ca('Some  CA')).issue({ cn: 'x' });
  const same = (await pki.ca('some ca')).certificate;
  await expect(orderChain([odd.certificate, same])).rejects.toMatchObject({
    code: 'chain_broken',
    message: expect.stringContaining('did not sign it'),
  });
});

test('picks the authority whose key signed, where two have one name', async () => {
  const impostor = await root.intermediate('Lower');
  const chain = await orderChain([leaf.certificate, lower.certificate, upper.certificate]);
  expect(chain[1]).toBe(lower.certificate);
  await expect(orderChain([leaf.certificate, impostor.certificate])).rejects.toMatchObject({
    code: 'chain_broken',
    message:
      'the certificate chain is broken: CN=leaf names CN=Lower as its issuer, but that certificate did not sign it',
  });
});

test('names the link that is missing', async () => {
  await expect(orderChain([leaf.certificate, upper.certificate])).rejects.toMatchObject({
    code: 'chain_broken',
    message:
      'the certificate chain is broken: the certificate of CN=Lower, which issued CN=leaf, is missing between it and CN=Upper',
    details: { subject: 'CN=leaf', issuer: 'CN=Lower' },
  });
  await expect(orderChain([upper.certificate, leaf.certificate])).rejects.toMatchObject({
    message: expect.stringContaining('CN=Lower, which issued CN=leaf, is missing'),
  });
});

test('refuses certificates that do not belong to the chain', async () => {
  const stranger = await pki.ca('Stranger');
  const given = [leaf, lower, upper, root, stranger].map(({ certificate }) => certificate);
  await expect(orderChain(given)).rejects.toMatchObject({
    code: 'chain_broken',
    message: expect.stringContaining('it ends at the self-signed CN=Root; CN=Stranger is not part of it'),
  });
});

test('refuses an issuer that is no authority, whether it signed or not', async () => {
  const message = expect.stringContaining('the certificate of that name is not a CA');
  const pretender = await pki.selfSigned({ cn: 'Lower' });
  const given = [leaf.certificate, pretender.certificate];
  await expect(orderChain(given)).rejects.toMatchObject({ code: 'chain_broken', message });
  const server = { certificate: leaf.certificate, privateKey: new Secret(leaf.keyPem) };
  const { notBefore, notAfter } = leaf.certificate.facts;
  const { certificate } = await issueCertificate(server, {
    subject: { commonName: 'x' },
    keyType: 'ec-p256',
    purpose: 'client',
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
  });
  await expect(orderChain([certificate, leaf.certificate])).rejects.toMatchObject({ code: 'chain_broken', message });
});
