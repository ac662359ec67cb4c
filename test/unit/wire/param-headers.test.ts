import { expect, test } from 'vitest';
import { encodeName } from '../../../src/wire/headers.ts';
import { mirroredArguments, mismatchingParam, paramHeadersOf } from '../../../src/wire/param-headers.ts';

const marked = (type: string, header: unknown) => ({ type, 'x-mcp-header': header });
const schema = {
  type: 'object',
  properties: {
    region: marked('string', 'Region'),
    plain: { type: 'string' },
    where: { type: 'object', properties: { depth: marked('integer', 'Depth'), dry: marked('boolean', 'Dry-Run') } },
    bad: marked('string', 'two words'),
    list: { type: 'array', items: { properties: { inner: marked('string', 'Inner') } } },
  },
};
const declared = paramHeadersOf(schema);

test('what properties alone lead to is declared; names that are no header names are not', () => {
  expect(declared).toEqual([
    { header: 'mcp-param-region', path: ['region'] },
    { header: 'mcp-param-depth', path: ['where', 'depth'] },
    { header: 'mcp-param-dry-run', path: ['where', 'dry'] },
  ]);
  for (const none of [undefined, null, 1, {}, { properties: [] }, { properties: { a: null } }])
    expect(paramHeadersOf(none)).toEqual([]);
});

test('primitives are repeated, everything else is not', () => {
  const texts = ['a', 1, 0, false].map((region) => mirroredArguments(declared, { region }));
  expect(texts).toEqual(['a', '1', '0', 'false'].map((text) => ({ 'mcp-param-region': text })));
  for (const region of [undefined, null, {}, []]) expect(mirroredArguments(declared, { region })).toEqual({});
  expect(mirroredArguments(declared, 'no arguments')).toEqual({});
});

const args = { region: 'eu', where: { depth: 42, dry: true } };
const agreeing = { 'mcp-param-region': 'eu', 'mcp-param-depth': '42', 'mcp-param-dry-run': 'true' };
const mismatch = (headers: Record<string, string>, given: Record<string, unknown> = args) =>
  mismatchingParam(declared, given, new Headers(headers));

test('headers that say what the arguments say pass', () => {
  expect(mismatch(agreeing)).toBeUndefined();
  expect(mismatch({ ...agreeing, 'mcp-param-depth': '42.0' })).toBeUndefined();
  const straße = { ...args, region: 'straße' };
  expect(mismatch({ ...agreeing, 'mcp-param-region': encodeName('straße') }, straße)).toBeUndefined();
});

test('a header is not expected for what is not there', () => {
  expect(mismatch({}, {})).toBeUndefined();
  expect(mismatch({}, { region: null })).toBeUndefined();
});

test('the first header that is missing, different or unreadable is named', () => {
  expect(mismatch({})).toBe('mcp-param-region');
  expect(mismatch({ ...agreeing, 'mcp-param-region': 'us' })).toBe('mcp-param-region');
  expect(mismatch({ ...agreeing, 'mcp-param-depth': '43' })).toBe('mcp-param-depth');
  expect(mismatch({ ...agreeing, 'mcp-param-dry-run': 'false' })).toBe('mcp-param-dry-run');
  expect(mismatch({ ...agreeing, 'mcp-param-region': '=?base64?%%%?=' })).toBe('mcp-param-region');
});
