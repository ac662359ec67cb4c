import { beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../../../src/pki/certificate.ts';
import type { TrustBundle } from '../../../src/tls/profile.ts';
import { unionOfTrust } from '../../../src/tls/trust-union.ts';
import { mintPki } from '../../support/pki.ts';

let a: Certificate;
let b: Certificate;
beforeAll(async () => {
  const pki = await mintPki();
  [a, b] = await Promise.all([pki.ca('A'), pki.ca('B')]).then(
    (both) => both.map(({ certificate }) => certificate) as [Certificate, Certificate],
  );
});

const system: TrustBundle = { mode: 'system' };
const only = (...anchors: Certificate[]): TrustBundle => ({ mode: 'only', anchors });
const add = (...anchors: Certificate[]): TrustBundle => ({ mode: 'add', anchors });

test('whoever one of them believes is believed, once', () => {
  expect(unionOfTrust(only(a), only(b), only(a))).toEqual(only(a, b));
});

test('the default set stays believed as soon as one of them believes it', () => {
  expect(unionOfTrust(system)).toEqual(system);
  expect(unionOfTrust(system, system)).toEqual(system);
  expect(unionOfTrust(system, only(a))).toEqual(add(a));
  expect(unionOfTrust(only(a), system)).toEqual(add(a));
  expect(unionOfTrust(only(a), add(b))).toEqual(add(a, b));
});
