import { beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { parseCertificates } from '../../../src/pki/parse.ts';
import type { TrustBundle } from '../../../src/tls/profile.ts';
import { withdrawalJudge, type PeerRules } from '../../../src/tls/withdrawal.ts';
import { mintPki, type MintedCa, type TestPki } from '../../support/pki.ts';

let pki: TestPki;
let old: MintedCa;
let renewed: MintedCa;
let chain: readonly Uint8Array[];
let leaf: Certificate;

beforeAll(async () => {
  pki = await mintPki();
  old = await pki.ca('Old');
  renewed = await pki.ca('New');
  const certificates = await parseCertificates((await old.issue({ cn: 'server' })).chainPem, 'certificate_unreadable');
  chain = certificates.map(({ der }) => der);
  [leaf] = certificates as [Certificate];
});

const SYSTEM: TrustBundle = { mode: 'system' };
const only = (...cas: MintedCa[]): TrustBundle => ({ mode: 'only', anchors: cas.map((ca) => ca.certificate) });
const add = (...cas: MintedCa[]): TrustBundle => ({ mode: 'add', anchors: cas.map((ca) => ca.certificate) });
const rules = (trust: TrustBundle, more: Partial<PeerRules> = {}): PeerRules => ({
  trust,
  crls: [],
  pins: [],
  verify: true,
  ...more,
});
const judge = async (before: PeerRules, after: PeerRules, nowMs = Date.now(), shown = chain) =>
  (await withdrawalJudge(before, after, nowMs))(shown);

test('a peer holds while the anchor its chain led to is trusted', async () => {
  expect(await judge(rules(only(old)), rules(only(old)))).toBeUndefined();
  expect(await judge(rules(only(old)), rules(only(old, renewed)))).toBeUndefined();
  expect(await judge(rules(only(old, renewed)), rules(only(old)))).toBeUndefined();
  expect(await judge(rules(only(old)), rules(add(old)))).toBeUndefined();
  expect(await judge(rules(add(old)), rules(only(old)))).toBeUndefined();
});

test('a peer whose anchor is gone is withdrawn', async () => {
  expect(await judge(rules(only(old, renewed)), rules(only(renewed)))).toBe('trust');
  expect(await judge(rules(add(old)), rules(add(renewed)))).toBe('trust');
  expect(await judge(rules(add(old)), rules(SYSTEM))).toBe('trust');
  expect(await judge(rules(only(old)), rules(SYSTEM))).toBe('trust');
});

test('a peer of the default set holds while the default set does', async () => {
  expect(await judge(rules(SYSTEM), rules(SYSTEM))).toBeUndefined();
  expect(await judge(rules(SYSTEM), rules(add(renewed)))).toBeUndefined();
  expect(await judge(rules(add(renewed)), rules(SYSTEM))).toBeUndefined();
  expect(await judge(rules(add(renewed)), rules(only(renewed)))).toBe('trust');
  expect(await judge(rules(SYSTEM), rules(only(renewed)))).toBe('trust');
  // an anchor of ours vouches as well
  expect(await judge(rules(SYSTEM), rules(only(old)))).toBeUndefined();
});

test('an anchor renewed under its key goes on vouching, one under another key does not', async () => {
  const namesake = await pki.ca('Old');
  expect(await judge(rules(only(old)), rules(only(namesake)))).toBe('trust');
  expect(await judge(rules(only(old, namesake)), rules(only(old)))).toBeUndefined();
  expect(await judge(rules(only(old, namesake)), rules(only(namesake)))).toBe('trust');
});

test('pins hold also where nothing else is verified', async () => {
  const pinned = [leaf.facts.spkiPin];
  const foreign = [renewed.certificate.facts.spkiPin];
  for (const verify of [true, false]) {
    const before = rules(only(old), { pins: [...pinned, ...foreign], verify });
    expect(await judge(before, rules(only(old), { pins: pinned, verify }))).toBeUndefined();
    expect(await judge(before, rules(only(old), { pins: [], verify }))).toBeUndefined();
    expect(await judge(before, rules(only(old), { pins: foreign, verify }))).toBe('pin');
  }
  expect(await judge(rules(only(old)), rules(only(old), { pins: foreign }))).toBe('pin');
});

test('verification that is switched on asks what was not asked before', async () => {
  const lax = rules(only(renewed), { verify: false });
  expect(await judge(lax, rules(only(renewed)))).toBe('trust');
  expect(await judge(lax, rules(only(old)))).toBeUndefined();
  expect(await judge(rules(SYSTEM, { verify: false }), rules(SYSTEM))).toBe('trust');
  expect(await judge(rules(only(old)), rules(only(renewed), { verify: false }))).toBeUndefined();
});

test('a list that names the peer withdraws it, and its end of validity does', async () => {
  const crls = [await old.crl([leaf.facts.serialNumber])];
  for (const trust of [only(old), add(old)]) expect(await judge(rules(trust), rules(trust, { crls }))).toBe('revoked');
  expect(await judge(rules(SYSTEM), rules(SYSTEM, { crls }))).toBe('revoked');
  expect(await judge(rules(only(old)), rules(only(old), { crls, verify: false }))).toBeUndefined();
  expect(await judge(rules(only(old)), rules(only(old), { crls: [await old.crl(['0a'])] }))).toBeUndefined();
  const later = Date.parse(leaf.facts.notAfter) + 1_000;
  expect(await judge(rules(SYSTEM), rules(SYSTEM), later)).toBe('expired');
});

test('who cannot be read is believed nothing', async () => {
  const garbled = [new Uint8Array([0x30, 0]), ...chain];
  const before = rules(only(old));
  for (const unreadable of [[], garbled]) {
    expect(await judge(before, before, Date.now(), unreadable)).toBe('trust');
    expect(await judge(before, { ...before, verify: false }, Date.now(), unreadable)).toBeUndefined();
  }
});
