import { expect, test } from 'vitest';
import { isTooDeep } from '../../../src/tls/caller-depth.ts';
import { parseCertificates } from '../../../src/pki/parse.ts';
import { mintPki } from '../../support/pki.ts';

test('counts what stands between a caller and its authority; what cannot be counted is too much', async () => {
  const root = await (await mintPki()).ca('Root');
  const below = await root.intermediate('Below');
  const { chainPem } = await below.issue({ cn: 'leaf' });
  const shown = (await parseCertificates(chainPem, 'certificate_unreadable')).map(({ der }) => der);
  const anchors = [root.certificate];
  expect([await isTooDeep(shown, anchors, 0), await isTooDeep(shown, anchors, 1)]).toEqual([true, false]);
  expect(await isTooDeep(shown, [root.certificate, below.certificate], 0)).toBe(false);
  expect(await isTooDeep(shown.slice(0, 1), anchors, 9)).toBe(true);
  expect(await isTooDeep([], anchors, 9)).toBe(true);
});
