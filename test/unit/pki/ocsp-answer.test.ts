import { beforeAll, expect, test } from 'vitest';
import { mustStaple, ocspUrlsOf } from '../../../src/pki/authority-info.ts';
import { ocspAnswer, OCSP_SKEW_MS } from '../../../src/pki/ocsp-answer.ts';
import { failedWith, issueStatused, ocspResponse, OCSP_SIGNING, type AnswerOptions } from '../../support/ocsp-pki.ts';
import { mintPki, type MintedCa, type MintedCertificate } from '../../support/pki.ts';

let ca: MintedCa;
let leaf: MintedCertificate;
let responder: MintedCertificate;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  leaf = await issueStatused(ca, { cn: 'leaf', ocspUrl: 'http://ocsp.test/a', mustStaple: true });
  responder = await issueStatused(ca, { cn: 'responder', usages: [OCSP_SIGNING] });
});

const now = Date.now();
const at = (ms: number) => new Date(now + ms);
const judge = (der: Uint8Array, nowMs = now) => ocspAnswer(der, leaf.certificate, ca.certificate, nowMs);
const answer = (options?: AnswerOptions) => ocspResponse(leaf.certificate, ca, options);

test('a certificate says where its status is told, and whether it has to be stapled', async () => {
  expect([ocspUrlsOf(leaf.certificate), mustStaple(leaf.certificate)]).toEqual([['http://ocsp.test/a'], true]);
  expect([ocspUrlsOf(ca.certificate), mustStaple(ca.certificate)]).toEqual([[], false]);
});

test.each([
  ['good', {}],
  ['revoked', { status: 'revoked' }],
  ['unknown', { status: 'unknown' }],
  ['good', { hash: 'SHA-256', byKey: true }],
  ['good', { nextUpdate: null }],
] as const)('an answer of the authority: %s %j', async (status, options) => {
  const { nextUpdateMs, ...said } = await judge(await answer(options));
  expect(said).toMatchObject({ status });
  expect(nextUpdateMs).toBeGreaterThan(now);
});

test('a responder the authority named may answer', async () => {
  expect(await judge(await answer({ signer: responder }))).toMatchObject({ status: 'good' });
  expect(await judge(await answer({ signer: responder, byKey: true }))).toMatchObject({ status: 'good' });
});

test.each([
  ['a certificate without that purpose', () => issueStatused(ca, { cn: 'server' })],
  ['one that has expired', () => issueStatused(ca, { cn: 'old', usages: [OCSP_SIGNING], notAfter: at(-60_000) })],
  [
    'a responder of another authority',
    async () => issueStatused(await (await mintPki()).ca('CA'), { cn: 'foreign', usages: [OCSP_SIGNING] }),
  ],
])('%s may not', async (_, mint) => {
  await expect(judge(await answer({ signer: await mint() }))).rejects.toThrow('not signed by the authority');
});

test.each([
  ['is over', { nextUpdate: at(-OCSP_SKEW_MS - 2_000), thisUpdate: at(-3_600_000) }, 'replaced by now'],
  ['is over and had no end', { nextUpdate: null, thisUpdate: at(-3_600_000) }, 'replaced by now'],
  ['is of a time to come', { thisUpdate: at(OCSP_SKEW_MS + 2_000) }, 'time to come'],
] as const)('an answer that %s is of no use', async (_, options, why) => {
  await expect(judge(await answer(options))).rejects.toThrow(why);
});

test('an answer about another certificate is of no use', async () => {
  await expect(judge(await ocspResponse(responder.certificate, ca))).rejects.toThrow('another certificate');
  await expect(judge(failedWith(3))).rejects.toThrow('tryLater');
});

test('whatever is changed in an answer, it is refused or says the same, and nothing else is thrown', async () => {
  const good = await answer();
  const outcomes = new Set<string>();
  for (let index = 0; index < good.length; index++)
    for (const bit of [1, 0x80]) {
      const damaged = good.slice();
      damaged[index] = (damaged[index] ?? 0) ^ bit;
      outcomes.add(
        await judge(damaged).then(
          ({ status }) => status,
          (error: unknown) => (error as Error).name,
        ),
      );
    }
  for (let length = 0; length < good.length; length += 7)
    outcomes.add(
      await judge(good.slice(0, length)).then(
        ({ status }) => status,
        (error: unknown) => (error as Error).name,
      ),
    );
  // an element nobody looks at may read otherwise
  expect([...outcomes].toSorted()).toEqual(['RangeError', 'good']);
});
