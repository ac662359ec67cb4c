import { beforeAll, expect, test } from 'vitest';
import { refusalOf } from '../../../src/tls/refused-server.ts';
import type { TrustBundle } from '../../../src/tls/profile.ts';
import { mintPki, type MintedCa, type MintOptions } from '../../support/pki.ts';

const hour = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);
let ca: MintedCa;
let other: MintedCa;
beforeAll(async () => {
  const pki = await mintPki();
  [ca, other] = [await pki.ca('root'), await pki.ca('other')];
});

const refusal = async (issuer: MintedCa, options: Partial<MintOptions>, trust?: TrustBundle) => {
  const { certificate } = await issuer.issue({ cn: 'server', ...options });
  return refusalOf([certificate.der], trust ?? { mode: 'only', anchors: [ca.certificate] }, Date.now());
};

test.each([
  ['expired', { notBefore: hour(-2), notAfter: hour(-1) }],
  ['not-yet-valid', { notBefore: hour(1) }],
  ['wrong-purpose', { eku: 'client' }],
  ['untrusted', {}],
] as const)('%s', async (why, options) => {
  expect(await refusal(ca, options)).toBe(why);
  expect(await refusal(ca, options, { mode: 'system' })).toBe(why);
  // whoever is not trusted is not trusted whatever else is wrong
  expect(await refusal(other, options)).toBe('untrusted');
});

test('nothing that can be read is nothing that is known', async () => {
  expect(await refusalOf([], { mode: 'system' }, Date.now())).toBe('untrusted');
  expect(await refusalOf([new Uint8Array(3)], { mode: 'system' }, Date.now())).toBe('untrusted');
});
