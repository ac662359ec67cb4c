import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { ASSUMED_LEGACY_VERSION, LEGACY_VERSIONS, MODERN_VERSION, eraOf } from '../../../src/wire/eras.ts';

test('the legacy revisions are those of the SDK', () => {
  expect(LEGACY_VERSIONS).toEqual(SUPPORTED_PROTOCOL_VERSIONS);
});

test('a request names its era by its protocol version', () => {
  expect(eraOf(undefined)).toBe('legacy');
  expect(eraOf(ASSUMED_LEGACY_VERSION)).toBe('legacy');
  expect(eraOf('2025-11-25')).toBe('legacy');
  expect(eraOf(MODERN_VERSION)).toBe('modern');
  expect(eraOf('2031-01-01')).toBe('modern');
  expect(eraOf('')).toBe('modern');
});
