/** What the operator demands of callers holds behind a proxy that hands on their certificates, too. */
import { beforeAll, expect, test } from 'vitest';
import { CallerNames } from '../../../src/identity/caller-names.ts';
import { ProxyCallers } from '../../../src/identity/proxy/proxy-callers.ts';
import type { CallerRules } from '../../../src/tls/caller-trust.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../../support/pki.ts';

const clock = new ManualClock(Date.now());
const RULES = ['Partners CA/dns=*.partner.example', 'dns', 'cn'];
let ours: MintedCa;
let partners: MintedCa;
let ann: MintedCertificate;
let partner: MintedCertificate;
let impostor: MintedCertificate;
beforeAll(async () => {
  const pki = await mintPki();
  [ours, partners] = [await pki.ca('Ours'), await pki.ca('Partners CA')];
  ann = await ours.issue({ cn: 'ann', dns: ['ann.example'] });
  partner = await partners.issue({ cn: 'x', dns: ['app.partner.example'] });
  impostor = await partners.issue({ cn: 'ann', dns: ['ann.example'] });
});

const saying = (shown: MintedCertificate, cn?: string): Headers => {
  const headers = new Headers({ 'X-SSL-Client-Verify': 'SUCCESS' });
  headers.set('X-SSL-Client-Cert', encodeURIComponent(shown.certPem));
  if (cn !== undefined) headers.set('X-SSL-Client-S-DN-CN', cn);
  return headers;
};
const held = (pins: readonly string[] = []): CallerRules => ({
  anchors: [ours.certificate, partners.certificate],
  pins,
});
const behind = (header: string, rules: readonly string[] | undefined, heldTo = held()) =>
  new ProxyCallers(header, clock, new CallerNames(rules, () => heldTo));

test.each(['X-SSL-Client-Cert', 'X-SSL-Client-S-DN-CN'])('rules name callers, whatever %s says', async (header) => {
  const callers = behind(header, RULES);
  const who = async (shown: MintedCertificate, cn: string) => (await callers.callerOf(saying(shown, cn)))?.principal;
  expect(await who(ann, 'ann')).toMatchObject({ subject: 'ann.example', certificate: { ca: 'Ours' } });
  expect(await who(partner, 'x')).toMatchObject({ subject: 'app.partner.example', certificate: { ca: 'Partners CA' } });
  await expect(who(impostor, 'ann')).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('without rules the proxy names the caller, and the authority is known by its signature', async () => {
  const caller = await behind('X-SSL-Client-S-DN-CN', undefined).callerOf(saying(ann, 'ann'));
  expect(caller?.principal).toMatchObject({ subject: 'ann', certificate: { ca: 'Ours' } });
  const fake = await (await (await mintPki()).ca('Ours')).issue({ cn: 'ann' });
  const faked = await behind('X-SSL-Client-S-DN-CN', undefined).callerOf(saying(fake, 'ann'));
  expect(faked?.principal.certificate).not.toHaveProperty('ca');
});

test('pins let in the keys they name, and nobody whose certificate is not handed on', async () => {
  const callers = behind('X-SSL-Client-S-DN-CN', undefined, held([ann.certificate.facts.spkiPin]));
  expect((await callers.callerOf(saying(ann, 'ann')))?.principal.subject).toBe('ann');
  await expect(callers.callerOf(saying(impostor, 'ann'))).rejects.toThrow('a certificate of another key');
  const named = new Headers({ 'X-SSL-Client-S-DN-CN': 'ann', 'X-SSL-Client-Verify': 'SUCCESS' });
  expect(() => callers.callerOf(named)).toThrow('comes without the certificate');
  const plain = behind('X-Authenticated-User', undefined, held([ann.certificate.facts.spkiPin]));
  expect(() => plain.callerOf(new Headers({ 'X-Authenticated-User': 'ann' }))).toThrow('comes without the certificate');
});

test('who was known is judged anew once callers are held to something else', async () => {
  let now = held();
  const callers = new ProxyCallers('X-SSL-Client-Cert', clock, new CallerNames(undefined, () => now));
  await callers.callerOf(saying(ann));
  expect(callers.callerOf(saying(ann))).not.toBeInstanceOf(Promise);
  now = held([impostor.certificate.facts.spkiPin]);
  await expect(callers.callerOf(saying(ann))).rejects.toThrow('another key');
  // judged by rules that were replaced before the judgement was over
  now = held();
  const late = callers.callerOf(saying(ann));
  now = held([impostor.certificate.facts.spkiPin]);
  await callers.callerOf(saying(impostor));
  await late;
  await expect(callers.callerOf(saying(ann))).rejects.toThrow('another key');
});
