import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { MASK, readObject, snakeOf } from '../../../src/registry/field-schema.ts';
import type { FieldProblem, ObjectSchema } from '../../../src/registry/field-schema.ts';

const schema: ObjectSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 5, pattern: '^[a-z]+$' },
    clientKey: { type: 'string', writeOnly: true },
    isOpen: { type: 'boolean' },
    ageSeconds: { type: 'integer', minimum: 60, maximum: 90 },
    mode: { type: 'string', enum: ['a', 'b'] },
    pins: { type: 'array', maxItems: 2, items: { type: 'string', maxLength: 3 } },
    nested: {
      type: 'object',
      additionalProperties: false,
      required: ['key'],
      properties: { key: { type: 'string' }, innerSecret: { type: 'string', writeOnly: true } },
    },
    anything: { type: 'object', additionalProperties: true },
  },
};

function read(value: unknown, partial = false) {
  const problems: FieldProblem[] = [];
  const fields = readObject(schema, value, { partial, problems });
  return { fields, problems };
}

const problemsWith = (fields: object) => read({ name: 'ok', ...fields }).problems;

test('fields are taken in either spelling and answered in camelCase', () => {
  expect(read({ name: 'ok', isOpen: true, age_seconds: 60, nested: { key: 'k', inner_secret: '*****' } })).toEqual({
    fields: { name: 'ok', isOpen: true, ageSeconds: 60, nested: { key: 'k', innerSecret: MASK } },
    problems: [],
  });
});

test('a field in both spellings is refused', () => {
  expect(problemsWith({ isOpen: true, is_open: true })).toEqual([
    { field: 'isOpen', problem: 'is given twice, as isOpen and as is_open' },
  ]);
});

test('mixed spellings, unknown names and inherited names are no fields', () => {
  for (const name of ['Is_open', 'is_Open', 'colour', 'constructor', 'toString'])
    expect(problemsWith({ [name]: 1 })).toEqual([{ field: name, problem: 'is not a known field' }]);
  expect(read(JSON.parse('{"name":"ok","__proto__":{"isOpen":true}}')).problems).toEqual([
    { field: '__proto__', problem: 'is not a known field' },
  ]);
});

test('a secret comes out wrapped, the mask as it is', () => {
  const { fields } = read({ name: 'ok', client_key: 'hush' });
  expect(fields['clientKey']).toBeInstanceOf(Secret);
  expect(JSON.stringify(fields)).not.toContain('hush');
  expect(read({ name: 'ok', client_key: MASK }).fields['clientKey']).toBe(MASK);
});

test('null is kept for optional fields and refused for required ones, at every depth', () => {
  expect(read({ name: 'ok', mode: null }).fields).toEqual({ name: 'ok', mode: null });
  expect(read({ name: null }).problems).toEqual([{ field: 'name', problem: 'must not be null' }]);
  expect(problemsWith({ nested: { key: null } })).toEqual([{ field: 'nested.key', problem: 'must not be null' }]);
});

test('required fields may be absent in a partial reading only', () => {
  expect(read({}).problems).toEqual([{ field: 'name', problem: 'is required' }]);
  expect(read({}, true).problems).toEqual([]);
  expect(read({ nested: {} }, true).problems).toEqual([{ field: 'nested.key', problem: 'is required' }]);
});

describe('a value of the wrong kind is named without being shown', () => {
  test.each([
    [{ name: '' }, 'name', 'must not be empty'],
    [{ name: 'abcdef' }, 'name', 'must have at most 5 characters'],
    [{ name: 'A' }, 'name', 'must match ^[a-z]+$'],
    [{ name: 7 }, 'name', 'must be a string'],
    [{ isOpen: 'true' }, 'isOpen', 'must be true or false'],
    [{ ageSeconds: 59 }, 'ageSeconds', 'must be an integer from 60 to 90'],
    [{ ageSeconds: 60.5 }, 'ageSeconds', 'must be an integer from 60 to 90'],
    [{ ageSeconds: '60' }, 'ageSeconds', 'must be an integer from 60 to 90'],
    [{ mode: 'c' }, 'mode', 'must be one of a, b'],
    [{ mode: 1 }, 'mode', 'must be a string'],
    [{ pins: 'x' }, 'pins', 'must be a list'],
    [{ pins: ['a', 'b', 'c'] }, 'pins', 'must have at most 2 items'],
    [{ pins: ['a', 'long'] }, 'pins[1]', 'must have at most 3 characters'],
    [{ nested: [] }, 'nested', 'must be an object'],
    [{ nested: { key: 'k', x: 1 } }, 'nested.x', 'is not a known field'],
    [{ anything: 'x' }, 'anything', 'must be an object'],
    [{ clientKey: 'a\0b' }, 'clientKey', 'must be Unicode text without NUL'],
    [{ clientKey: '\ud800' }, 'clientKey', 'must be Unicode text without NUL'],
  ])('%j', (fields, field, problem) => {
    expect(problemsWith(fields)).toEqual([{ field, problem }]);
  });

  test.each([[null], [[]], ['text'], [3]])('%j is no object', (value) => {
    expect(read(value).problems).toEqual([{ field: 'body', problem: 'must be an object' }]);
  });
});

test('lengths are counted in code points', () => {
  const { problems } = read({ name: 'ok', pins: ['😀😀😀'] });
  expect(problems).toEqual([]);
});

test('snake_case of a camelCase name', () => {
  expect(snakeOf('minTlsVersion')).toBe('min_tls_version');
});
