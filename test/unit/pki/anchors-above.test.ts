import { expect, test } from 'vitest';
import { parseCertificates } from '../../../src/pki/parse.ts';
import { anchorsAbove } from '../../../src/pki/verify-chain.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa } from '../../support/pki.ts';

test('authorities above a certificate, the nearest first, with what stands between', async () => {
  const pki = await mintPki();
  const [root, twin, other] = [await pki.ca('Root'), await pki.ca('Root'), await pki.ca('Other')];
  const once = await root.intermediate('Once');
  const twice = await once.intermediate('Twice');
  const shown = await parseCertificates((await twice.issue({ cn: 'leaf' })).chainPem, 'certificate_unreadable');
  const above = async (chain: typeof shown, ...anchors: readonly MintedCa[]) =>
    (
      await anchorsAbove(
        chain,
        anchors.map(({ certificate }) => certificate),
      )
    ).map(({ anchor, intermediates }) => [anchor.facts.subject, intermediates]);
  expect(await above(shown, other, twin, root, once)).toEqual([
    ['CN=Once', 1],
    ['CN=Root', 2],
  ]);
  expect(await above(shown.slice(0, 1), root)).toEqual([]);
  expect(await above(shown.slice(0, 1), twice)).toEqual([['CN=Twice', 0]]);
  expect(await above([], root)).toEqual([]);
});
