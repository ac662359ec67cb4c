import { expect, test } from 'vitest';
import { nameBy, parseSubjectRule, unknownAuthorities } from '../../../src/identity/subject-rules.ts';
import type { SubjectRule } from '../../../src/identity/subject-rules.ts';
import { mintPki } from '../../support/pki.ts';

const HASH = 'ab'.repeat(32);

test.each<[string, Partial<SubjectRule> | undefined]>([
  ['uri', { form: 'uri' }],
  ['CN', { form: 'cn' }],
  ['uri=spiffe://example.org/*', { form: 'uri', pattern: 'spiffe://example.org/*' }],
  ['uri=spiffe://example.org/dns', { form: 'uri', pattern: 'spiffe://example.org/dns' }],
  ['Partners CA/dns=*.partner.example', { ca: 'Partners CA', form: 'dns', pattern: '*.partner.example' }],
  ['Partners CA / dns', { ca: 'Partners CA', form: 'dns' }],
  ['A/B CA/cn', { ca: 'A/B CA', form: 'cn' }],
  [`${HASH.toUpperCase().replaceAll(/..(?!$)/g, '$&:')}/email`, { ca: HASH, form: 'email' }],
  ['ou', undefined],
  ['uri=', undefined],
  ['/dns', undefined],
  ['Partners CA/', undefined],
  ['', undefined],
])('%s', (text, rule) => {
  const expected = rule && { ca: undefined, pattern: undefined, ...rule };
  expect(parseSubjectRule(text)).toEqual(expected);
});

test('the first rule that gives a name wins, and of several names the first that fits', async () => {
  const ca = await (await mintPki()).ca('Callers');
  const { certificate } = await ca.issue({
    cn: 'agent',
    uris: ['urn:one', 'spiffe://example.org/agent'],
    dns: ['APP.example.org'],
  });
  const nameOf = (...rules: string[]) =>
    nameBy(
      rules.flatMap((text) => parseSubjectRule(text) ?? []),
      certificate.facts,
    );
  expect(nameOf('uri', 'cn')).toBe('urn:one');
  expect(nameOf('uri=spiffe://*', 'cn')).toBe('spiffe://example.org/agent');
  expect(nameOf('email', 'uri=spiffe://other/*', 'cn')).toBe('agent');
  expect(nameOf('dns=app.EXAMPLE.org')).toBe('APP.example.org');
  expect([nameOf('cn=Agent'), nameOf('email')]).toEqual([undefined, undefined]);
});

test('an authority is known by its common name or its hash', async () => {
  const { certificate } = await (await mintPki()).ca('Partners CA');
  const { sha256 } = certificate.facts;
  const rules = ['Partners CA/dns', `${sha256}/cn`, 'Other CA/cn', `${HASH}/cn`, 'uri'];
  expect(unknownAuthorities(rules, [certificate])).toEqual(['Other CA', HASH]);
});
