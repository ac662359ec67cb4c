import { expect, test } from 'vitest';
import { ArgumentHeaders } from '../../../src/bridge/legacy-to-modern/argument-headers.ts';

const marked = (header: unknown, more = {}) => ({ type: 'string', 'x-mcp-header': header, ...more });
const tools = [
  {
    name: 'find',
    inputSchema: {
      type: 'object',
      properties: {
        region: marked('Region'),
        count: marked('Count', { type: 'integer' }),
        dry: marked('Dry', { type: 'boolean' }),
        where: { type: 'object', properties: { zone: marked('Zone') } },
        many: { type: 'array', items: { type: 'object', properties: { no: marked('Never') } } },
        odd: marked('a b\r\nx'),
        empty: marked(''),
      },
    },
  },
  { name: 'plain', inputSchema: { type: 'object' } },
];
const of = (params: object) => new ArgumentHeaders().of(tools, { ...params });

test('marked arguments are repeated, at any depth of properties', () => {
  const values = {
    region: 'eu',
    count: 3,
    dry: false,
    where: { zone: 'b' },
    many: [{ no: 'x' }],
    odd: 'x',
    empty: 'x',
  };
  expect(of({ name: 'find', arguments: values })).toEqual({
    'mcp-param-region': 'eu',
    'mcp-param-count': '3',
    'mcp-param-dry': 'false',
    'mcp-param-zone': 'b',
  });
});

test('an argument that is absent, null or no single value has no header', () => {
  expect(of({ name: 'find', arguments: { region: null, count: {}, dry: [true], where: 'b' } })).toEqual({});
  expect(of({ name: 'find' })).toEqual({});
  expect(of({ name: 'find', arguments: 'region' })).toEqual({});
  expect(of({ name: 'plain', arguments: { region: 'eu' } })).toEqual({});
  expect(of({ name: 'unlisted', arguments: { region: 'eu' } })).toEqual({});
});

test.for([
  ['', '=?base64??='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['Zürich', '=?base64?WsO8cmljaA==?='],
  ['a\r\nb', '=?base64?YQ0KYg==?='],
  ['=?base64?x?=', '=?base64?PT9iYXNlNjQ/eD89?='],
] as const)('the text %j travels as %s', ([region, header]) => {
  expect(of({ name: 'find', arguments: { region } })).toEqual({ 'mcp-param-region': header });
});
