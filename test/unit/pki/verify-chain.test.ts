import { beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { parseCertificates } from '../../../src/pki/parse.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { openLists } from '../../../src/pki/revocation.ts';
import { namedAnchors, verifyChain, type ChainRules } from '../../../src/pki/verify-chain.ts';
import { crossSign } from '../../support/cross-sign.ts';
import { mintPki, type MintedCa, type TestPki } from '../../support/pki.ts';

let pki: TestPki;
let root: MintedCa;
let other: MintedCa;
let between: MintedCa;
let deep: readonly Certificate[];

beforeAll(async () => {
  pki = await mintPki();
  root = await pki.ca('Root');
  other = await pki.ca('Other');
  between = await root.intermediate('Between');
  deep = await certificatesOf((await between.issue({ cn: 'leaf' })).chainPem);
});

const certificatesOf = (pem: string) => parseCertificates(pem, 'certificate_unreadable');
type Rules = Partial<Omit<ChainRules, 'crls'> & { readonly crls: readonly string[] }>;
const verify = async (presented: readonly Certificate[], { crls = [], ...rules }: Rules) =>
  verifyChain(presented, { anchors: [], openEnd: false, crls: await openLists(crls), nowMs: Date.now(), ...rules });

test('a chain is valid up to any anchor on its way, an intermediate too', async () => {
  const [leaf] = deep;
  if (!leaf) throw new TypeError('no leaf');
  expect(await verify(deep, { anchors: [root.certificate] })).toBe('valid');
  expect(await verify(deep, { anchors: [between.certificate] })).toBe('valid');
  expect(await verify([leaf], { anchors: [between.certificate] })).toBe('valid');
  expect(await verify([leaf], { anchors: [between.certificate, root.certificate] })).toBe('valid');
  expect(await verify([leaf], { anchors: [leaf] })).toBe('valid');
  expect(await verify([leaf], { anchors: [root.certificate] })).toBe('untrusted');
  expect(await verify(deep, { anchors: [other.certificate] })).toBe('untrusted');
  expect(await verify(deep, { anchors: [] })).toBe('untrusted');
  expect(await verify([], { anchors: [root.certificate], openEnd: true })).toBe('untrusted');
});

test('certificates in any order, repeated and needless ones do not matter', async () => {
  const [leaf, middle] = deep;
  if (!leaf || !middle) throw new TypeError('no chain');
  const presented = [leaf, other.certificate, root.certificate, middle, middle];
  expect(await verify(presented, { anchors: [root.certificate] })).toBe('valid');
});

test('a name alone makes no issuer: the signature decides', async () => {
  const impostor = await pki.ca('Root');
  expect(await verify(deep, { anchors: [impostor.certificate] })).toBe('untrusted');
  expect(await verify(deep, { anchors: [impostor.certificate, root.certificate] })).toBe('valid');
  const forged = await (await pki.ca('Between')).issue({ cn: 'leaf' });
  expect(await verify([forged.certificate, ...deep.slice(1)], { anchors: [root.certificate] })).toBe('untrusted');
});

test('who is no CA vouches for nobody', async () => {
  const leaf = await root.issue({ cn: 'Server' });
  // a leaf of that name and key could sign, were it asked
  const below = await crossSign({ ...root, certificate: leaf.certificate, keyPem: leaf.keyPem }, other);
  const [made] = await certificatesOf(below);
  if (!made) throw new TypeError('not made');
  expect(await verify([made, leaf.certificate], { anchors: [root.certificate] })).toBe('untrusted');
});

test('a cross-signed authority leads to either side', async () => {
  const leaf = await other.issue({ cn: 'leaf' });
  const [bridge] = await certificatesOf(await crossSign(root, other));
  if (!bridge) throw new TypeError('not made');
  expect(await verify([leaf.certificate, bridge], { anchors: [root.certificate] })).toBe('valid');
  expect(await verify([leaf.certificate, bridge], { anchors: [other.certificate] })).toBe('valid');
  const crls = [await root.crl([bridge.facts.serialNumber])];
  expect(await verify([leaf.certificate, bridge], { anchors: [root.certificate], crls })).toBe('revoked');
  expect(await verify([leaf.certificate, bridge], { anchors: [root.certificate, other.certificate], crls })).toBe(
    'valid',
  );
});

test('two authorities that vouch for each other end the search', async () => {
  const leaf = await other.issue({ cn: 'leaf' });
  const [upwards] = await certificatesOf(await crossSign(root, other));
  const [back] = await certificatesOf(await crossSign(other, root));
  if (!upwards || !back) throw new TypeError('not made');
  expect(await verify([leaf.certificate, upwards, back], { anchors: [between.certificate] })).toBe('untrusted');
  expect(await verify([leaf.certificate, upwards, back], { anchors: [root.certificate] })).toBe('valid');
});

test('every certificate of the way has to be current', async () => {
  const nowMs = Date.now();
  const soon = new Date(nowMs + 3_600_000);
  const short = await root.intermediate('Short', { notAfter: soon });
  const chain = await certificatesOf((await short.issue({ cn: 'leaf' })).chainPem);
  const brief = [(await root.issue({ cn: 'leaf', notAfter: soon })).certificate];
  const anchors = [root.certificate];
  for (const presented of [chain, brief]) {
    expect(await verify(presented, { anchors, nowMs: soon.getTime() - 1_000 })).toBe('valid');
    expect(await verify(presented, { anchors, nowMs: soon.getTime() + 1_000 })).toBe('expired');
  }
  expect(await verify(chain, { anchors: [short.certificate], nowMs: soon.getTime() + 1_000 })).toBe('expired');
  expect(await verify(deep, { anchors, nowMs: nowMs - 86_400_000 })).toBe('expired');
});

test('lists revoke anywhere in the chain, and only what they name', async () => {
  const anchors = [root.certificate];
  const [leaf, middle] = deep.map(({ facts }) => facts.serialNumber);
  if (leaf === undefined || middle === undefined) throw new TypeError('no chain');
  const past = { thisUpdate: new Date(Date.now() - 7_200_000), nextUpdate: new Date(Date.now() - 3_600_000) };
  const lists: readonly (readonly [crl: string, verdict: string])[] = [
    [await between.crl([leaf]), 'revoked'],
    [await between.crl(['0a', leaf], past), 'revoked'],
    [await root.crl([middle]), 'revoked'],
    [await root.crl([leaf]), 'valid'],
    [await between.crl(['0a']), 'valid'],
    [await other.crl([leaf, middle]), 'valid'],
    // a list of another authority of that name
    [await (await pki.ca('Between')).crl([leaf]), 'valid'],
  ];
  for (const [crl, verdict] of lists) expect(await verify(deep, { anchors, crls: [crl] })).toBe(verdict);
  expect(await verify(deep, { anchors, crls: lists.map(([crl]) => crl) })).toBe('revoked');
});

test('an open end lets a chain lead further than it was presented, but past nobody who was revoked', async () => {
  const [leaf, middle] = deep;
  if (!leaf || !middle) throw new TypeError('no chain');
  expect(await verify(deep, { openEnd: true })).toBe('valid');
  expect(await verify([...deep, root.certificate], { openEnd: true })).toBe('valid');
  // the list's issuer is not at hand to check its signature with: it is believed
  expect(await verify(deep, { openEnd: true, crls: [await root.crl([middle.facts.serialNumber])] })).toBe('revoked');
  expect(await verify([leaf], { openEnd: true, crls: [await between.crl([leaf.facts.serialNumber])] })).toBe('revoked');
  expect(await verify(deep, { openEnd: true, nowMs: Date.now() + 31 * 86_400_000 })).toBe('expired');
});

test('the anchors a chain may have led to are found by name', async () => {
  const namesake = await pki.ca('root');
  const named = (presented: readonly Certificate[], ...cas: MintedCa[]) =>
    namedAnchors(
      presented,
      cas.map(({ certificate }) => certificate),
    );
  expect(named(deep, root, other)).toEqual([root.certificate]);
  expect(named(deep, between)).toEqual([between.certificate]);
  expect(named(deep.slice(0, 1), between, root)).toEqual([between.certificate, root.certificate]);
  expect(named(deep, namesake, root)).toEqual([namesake.certificate, root.certificate]);
  expect(named(deep.slice(0, 1), root)).toEqual([]);
  expect(named([], root)).toEqual([]);
});

test('refuses what is no list', async () => {
  const anchors = [root.certificate];
  const crls = [toPem('X509 CRL', root.certificate.der)];
  await expect(verify(deep, { anchors, crls })).rejects.toMatchObject({ code: 'crl_unreadable' });
});

test('where lists are needed, everybody below the anchor has to stand in the scope of a current one', async () => {
  const anchors = [root.certificate];
  const [byRoot, byBetween] = [await root.crl([]), await between.crl([])];
  const hour = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);
  const late = await between.crl([], { thisUpdate: hour(-2), nextUpdate: hour(-1) });
  const early = await between.crl([], { thisUpdate: hour(1), nextUpdate: hour(2) });
  const forged = await (await (await pki.ca('Root')).intermediate('Between')).crl([]);
  const needing = (crls: readonly string[], rules: Rules = {}) =>
    verify(deep, { anchors, needsLists: true, crls, ...rules });
  expect(await needing([byRoot, byBetween])).toBe('valid');
  expect(await needing([byBetween], { anchors: [between.certificate] })).toBe('valid');
  for (const crls of [[], [byRoot], [byBetween], [byRoot, late], [byRoot, early], [byRoot, forged]])
    expect(await needing(crls)).toBe('unlisted');
  expect(await needing([byRoot, await between.crl([deep[0]?.facts.serialNumber ?? ''])])).toBe('revoked');
  // whoever vouches at an open end has to be known, and to have a list
  const open = { anchors: [], openEnd: true };
  expect(await needing([byRoot, byBetween], open)).toBe('unlisted');
  expect(await verify([...deep, root.certificate], { ...open, needsLists: true, crls: [byRoot, byBetween] })).toBe(
    'valid',
  );
});

test('the list of an authority that changed its key says nothing of whom the other key signed', async () => {
  const [before, after] = [await pki.ca('Moving'), await pki.ca('Moving')];
  const leaf = await after.issue({ cn: 'leaf' });
  const anchors = [before.certificate, after.certificate];
  const needing = (crls: readonly string[]) => verify([leaf.certificate], { anchors, needsLists: true, crls });
  expect(await needing([await before.crl([])])).toBe('unlisted');
  expect(await needing([await before.crl([]), await after.crl([])])).toBe('valid');
  expect(await needing([await before.crl([]), await after.crl([leaf.serialNumber])])).toBe('revoked');
  // nor may a peer choose, by leaving one of them out, which list it is looked up in
  const [one, other] = [await root.intermediate('Between'), between];
  const revoked = await one.issue({ cn: 'leaf' });
  const crls = [await root.crl([]), await one.crl([revoked.serialNumber]), await other.crl([])];
  const shown = [revoked.certificate, other.certificate, root.certificate];
  expect(await verify(shown, { anchors: [], openEnd: true, needsLists: true, crls })).toBe('unlisted');
});

test('a chain made to keep us busy leads nowhere, not to an open end either', async () => {
  const twinsOf = async (count: number) =>
    certificatesOf((await Promise.all(Array.from({ length: count }, () => crossSign(root, root)))).join(''));
  const leaf = (await root.issue({ cn: 'leaf' })).certificate;
  const rules = { anchors: [root.certificate] };
  expect(await verify([leaf, ...(await twinsOf(5))], rules)).toBe('valid');
  const busy = [leaf, ...(await twinsOf(30))];
  expect(await verify(busy, rules)).toBe('untrusted');
  expect(await verify(busy, { openEnd: true })).toBe('untrusted');
});
