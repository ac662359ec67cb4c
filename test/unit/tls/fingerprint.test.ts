import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { fingerprintOf, type ProfileParts } from '../../../src/tls/fingerprint.ts';
import type { ClientIdentity, TrustBundle } from '../../../src/tls/profile.ts';
import { mintPki } from '../../support/pki.ts';

let certificates: readonly Certificate[];

beforeAll(async () => {
  const pki = await mintPki();
  certificates = (await Promise.all(['a', 'b', 'c', 'd'].map((name) => pki.ca(name)))).map((ca) => ca.certificate);
});

/** Profiles made of few ingredients, so that near misses are common. */
function profiles(): fc.Arbitrary<ProfileParts> {
  const some = fc.uniqueArray(fc.nat(certificates.length - 1), { minLength: 1 });
  const picked = some.map((indexes) => indexes.flatMap((index) => certificates[index] ?? []));
  const text = fc.constantFrom('', 'a', 'ab', 'b', 'only');
  const certified = fc.record({
    chain: picked,
    publicKey: fc.uint8Array({ maxLength: 2 }),
    privateKey: fc.constant(new Secret('never looked at')),
  });
  const bound = text.map((binding) => ({ binding, chain: [] as const }));
  const identity: fc.Arbitrary<ClientIdentity> = fc.oneof(certified, bound);
  const trust: fc.Arbitrary<TrustBundle> = fc.oneof(
    fc.constant({ mode: 'system' as const }),
    fc.record({ mode: fc.constantFrom('only' as const, 'add' as const), anchors: picked }),
  );
  return fc.record({
    identity: fc.option(identity, { nil: undefined }),
    trust,
    serverName: fc.option(text, { nil: undefined }),
    checkHostname: fc.boolean(),
    verify: fc.boolean(),
    minVersion: fc.constantFrom('TLSv1.2' as const, 'TLSv1.3' as const),
    crls: fc.array(text, { maxLength: 3 }),
    pins: fc.array(text, { maxLength: 3 }),
  });
}

/** The same meaning, spelled without any encoding of ours. */
function meaning({ identity, trust, ...rest }: ProfileParts): string {
  const names = (list: readonly Certificate[]) => list.map(({ facts }) => facts.sha256);
  return JSON.stringify({
    identity: identity && [names(identity.chain), 'publicKey' in identity ? [...identity.publicKey] : identity.binding],
    trust: [trust.mode, trust.mode === 'system' ? [] : names(trust.anchors).sort()],
    ...rest,
    serverName: rest.serverName ?? null,
    crls: [...new Set(rest.crls)].sort(),
    pins: [...new Set(rest.pins)].sort(),
  });
}

test('two profiles have the same fingerprint exactly when they mean the same', () => {
  fc.assert(
    fc.property(
      profiles(),
      profiles(),
      (a, b) => (fingerprintOf(a) === fingerprintOf(b)) === (meaning(a) === meaning(b)),
    ),
    { numRuns: 500 },
  );
});

test('changing any one field changes the fingerprint', () => {
  const change: { [Field in keyof ProfileParts]-?: (parts: ProfileParts) => ProfileParts[Field] } = {
    identity: ({ identity }) =>
      identity
        ? undefined
        : { chain: certificates.slice(0, 1), publicKey: new Uint8Array(1), privateKey: new Secret('') },
    trust: ({ trust }) =>
      trust.mode === 'system' ? { mode: 'only', anchors: certificates.slice(0, 1) } : { mode: 'system' },
    serverName: ({ serverName }) => `${serverName ?? ''}x`,
    checkHostname: ({ checkHostname }) => !checkHostname,
    verify: ({ verify }) => !verify,
    minVersion: ({ minVersion }) => (minVersion === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2'),
    crls: ({ crls }) => [...crls, 'new'],
    ocsp: () => true,
    pins: ({ pins }) => [...pins, 'new'],
  };
  const fields = Object.keys(change) as (keyof ProfileParts)[];
  fc.assert(
    fc.property(profiles(), fc.constantFrom(...fields), (parts, field) => {
      expect(fingerprintOf({ ...parts, [field]: change[field](parts) })).not.toBe(fingerprintOf(parts));
    }),
  );
});

test('the order of anchors, lists and pins does not matter, nor does repeating one; the order of a chain does', () => {
  const base = { checkHostname: true, verify: true, minVersion: 'TLSv1.2' as const, serverName: undefined };
  const withAnchors = (anchors: readonly Certificate[], pins: readonly string[]) =>
    fingerprintOf({ ...base, identity: undefined, trust: { mode: 'only', anchors }, crls: pins, pins });
  const [a, b] = certificates as [Certificate, Certificate];
  expect(withAnchors([a, b, a], ['p', 'q'])).toBe(withAnchors([b, a], ['q', 'p', 'q']));
  const withChain = (chain: readonly Certificate[]) =>
    fingerprintOf({
      ...base,
      identity: { chain, publicKey: new Uint8Array(), privateKey: new Secret('') },
      trust: { mode: 'system' },
      crls: [],
      pins: [],
    });
  expect(withChain([a, b])).not.toBe(withChain([b, a]));
});

test('a fingerprint is 64 hexadecimal digits and the same in every version of the gateway', () => {
  const fingerprint = fingerprintOf({
    identity: undefined,
    trust: { mode: 'system' },
    serverName: 'mcp.example',
    checkHostname: true,
    verify: true,
    minVersion: 'TLSv1.2',
    crls: [],
    pins: [],
  });
  expect(fingerprint).toBe('9b9f8e90807cf5f925dd963e5b6fa96342f5cdd649fc4ed7a2f9276a52e66805');
});
