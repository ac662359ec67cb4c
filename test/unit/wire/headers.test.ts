import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeName, encodeName, isForwarded } from '../../../src/wire/headers.ts';

test('visible ASCII names travel as they are', () => {
  for (const name of ['echo', 'a b', 'test://item/1?x=1#y']) expect(encodeName(name)).toBe(name);
});

test('other names travel as base64: padded, empty, beyond ASCII, or looking encoded', () => {
  expect(encodeName('größe')).toBe('=?base64?Z3LDtsOfZQ==?=');
  for (const name of ['', ' a', 'a ', 'a\nb', '=?base64?YQ==?='])
    expect(encodeName(name)).toMatch(/^=\?base64\?.*\?=$/);
});

test('any name survives the header, and every header value is visible ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(encodeName(name)).toMatch(/^[\x20-\x7e]+$/);
      expect(decodeName(encodeName(name))).toBe(name);
    }),
  );
});

test('malformed base64 is no name', () => {
  for (const malformed of ['a', '%%%', 'SGVsbG8', 'SGVsbG8==', 'SGVs-G8_'])
    expect(decodeName(`=?base64?${malformed}?=`), malformed).toBeUndefined();
});

test('MCP and trace headers of a client go on, credentials, cookies and session ids do not', () => {
  for (const name of ['mcp-method', 'mcp-name', 'mcp-param-region', 'last-event-id', 'traceparent'])
    expect(isForwarded(name)).toBe(true);
  for (const name of ['authorization', 'cookie', 'mcp-session-id', 'host', 'x-forwarded-for', 'content-length'])
    expect(isForwarded(name)).toBe(false);
});
