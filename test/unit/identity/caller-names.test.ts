import { beforeAll, expect, test } from 'vitest';
import { CallerNames } from '../../../src/identity/caller-names.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { parseCertificates } from '../../../src/pki/parse.ts';
import { crossSign } from '../../support/cross-sign.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../../support/pki.ts';

const RULES = ['Partners CA/dns=*.partner.example', 'dns', 'cn'];

let ours: MintedCa;
let partners: MintedCa;
let below: MintedCa;
let partner: MintedCertificate;
let impostor: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  [ours, partners] = [await pki.ca('Ours'), await pki.ca('Partners CA')];
  below = await partners.intermediate('Partners of the west');
  partner = await below.issue({ cn: 'partner', dns: ['app.partner.example'] });
  impostor = await below.issue({ cn: 'ann', dns: ['ann.ours.example'] });
});

const chainOf = ({ chainPem }: MintedCertificate): Promise<readonly Certificate[]> =>
  parseCertificates(chainPem, 'certificate_unreadable');

async function named(
  shown: readonly Certificate[],
  anchors: readonly MintedCa[],
  { rules = RULES, isVerified = true }: { rules?: readonly string[] | undefined; isVerified?: boolean } = {},
): Promise<string> {
  const held = { anchors: anchors.map(({ certificate }) => certificate), pins: [] };
  const { name, ca } = await new CallerNames(rules, () => held).callerIn(shown, isVerified);
  return `${name} under ${ca}`;
}

test('an authority with rules of its own gives names by those only', async () => {
  const ann = await chainOf(await ours.issue({ cn: 'ann', dns: ['ann.ours.example'] }));
  expect(await named(ann, [ours, partners])).toBe('ann.ours.example under Ours');
  expect(await named(await chainOf(partner), [ours, partners])).toBe('app.partner.example under Partners CA');
  await expect(named(await chainOf(impostor), [ours, partners])).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('no rule of POSTERN_CLIENT_SUBJECT finds one in it under Partners CA'),
  });
});

test('an intermediate among the authorities frees nobody from the rules of the one above', async () => {
  expect(await named(await chainOf(partner), [below, partners])).toBe('app.partner.example under Partners CA');
  await expect(named(await chainOf(impostor), [below, partners])).rejects.toThrow('no rule');
});

test('an authority of ours that vouches for theirs frees nobody either', async () => {
  const [crossed] = await parseCertificates(await crossSign(ours, partners), 'certificate_unreadable');
  const shown = [...(await chainOf(impostor)), ...(crossed ? [crossed] : [])];
  await expect(named(shown, [ours, partners])).rejects.toThrow('under Partners CA');
  // what is shown besides leads nowhere
  const decoy = [...(await chainOf(impostor)), ours.certificate];
  await expect(named(decoy, [ours, partners])).rejects.toThrow('under Partners CA');
});

test('another authority of the same name is told apart by its hash', async () => {
  const twin = await (await mintPki()).ca('Partners CA');
  const ann = await chainOf(await twin.issue({ cn: 'ann' }));
  const byHash = [`${partners.certificate.facts.sha256}/dns=*.partner.example`, 'dns', 'cn'];
  expect(await named(ann, [partners, twin], { rules: byHash })).toBe('ann under Partners CA');
  await expect(named(await chainOf(impostor), [partners, twin], { rules: byHash })).rejects.toThrow('no rule');
});

test('where rules are about authorities, one that cannot be told is not any', async () => {
  const [leaf] = await chainOf(impostor);
  await expect(named(leaf ? [leaf] : [], [ours, partners])).rejects.toThrow('cannot be told');
  expect(await named(leaf ? [leaf] : [], [ours], { rules: ['cn'] })).toBe('ann under undefined');
  // the name of an authority is easily had, its signature is not
  const fake = await (await mintPki()).ca('Ours');
  const faked = await chainOf(await fake.issue({ cn: 'ann' }));
  await expect(named(faked, [ours, partners], { isVerified: false })).rejects.toThrow('cannot be told');
});

test('without rules names are the usual ones, and the authority is known', async () => {
  const usual = await new CallerNames(undefined, () => ({ anchors: [ours.certificate], pins: [] })).callerIn(
    await chainOf(await ours.issue({ cn: 'ann', dns: ['ann.example'], uris: ['urn:ann'] })),
    true,
  );
  expect(usual).toMatchObject({ name: 'urn:ann', ca: 'Ours' });
  await expect(new CallerNames().callerIn([], true)).rejects.toThrow('it is not there');
});
