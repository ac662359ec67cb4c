import { expect, test } from 'vitest';
import { daysLeft, expiryState, notAfterSeconds } from '../../../src/pki/expiry.ts';
import { mintPki } from '../../support/pki.ts';

const at = (text: string) => Date.parse(text);

test('counts whole days and tells the state', async () => {
  const ca = await (
    await mintPki()
  ).ca('Root', {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-03-01T00:00:00Z'),
  });
  const { facts } = ca.certificate;
  expect(daysLeft(facts, at('2026-02-27T00:00:00Z'))).toBe(2);
  expect(daysLeft(facts, at('2026-02-27T00:00:01Z'))).toBe(1);
  expect(daysLeft(facts, at('2026-03-01T00:00:01Z'))).toBe(-1);
  expect(notAfterSeconds(facts)).toBe(at('2026-03-01T00:00:00Z') / 1000);
  expect(expiryState(facts, at('2025-12-31T00:00:00Z'), 30)).toBe('not_yet_valid');
  expect(expiryState(facts, at('2026-01-10T00:00:00Z'), 30)).toBe('valid');
  expect(expiryState(facts, at('2026-02-10T00:00:00Z'), 30)).toBe('expiring');
  expect(expiryState(facts, at('2026-03-01T00:00:01Z'), 30)).toBe('expired');
});
