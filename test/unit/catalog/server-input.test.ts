import { expect, test } from 'vitest';
import { parseServerCreate, parseServerUpdate } from '../../../src/catalog/server-input.ts';

const refused = (message: string, code = 'request_invalid') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error;

test('fields are read in either spelling', () => {
  const camel = { name: 'S', members: [{ gateway: 'a', denyTools: ['x'], aliases: { my_name: 'x' } }], teamId: 't' };
  const snake = { name: 'S', members: [{ gateway: 'a', deny_tools: ['x'], aliases: { my_name: 'x' } }], team_id: 't' };
  expect(parseServerCreate(snake)).toEqual(camel);
  expect(parseServerCreate(camel)).toEqual(camel);
});

test('ContextForge’s envelope and comma lists are read', () => {
  const server = { name: 'S', associated_tools: 'a, b,', associated_resources: [], team_id: 't' };
  expect(parseServerCreate({ server, team_id: null, visibility: 'public' })).toEqual({
    name: 'S',
    associatedTools: ['a', 'b'],
    associatedResources: [],
    teamId: 't',
    visibility: 'public',
  });
});

test.each([
  [{}, 'name is required'],
  [{ name: 'S', colour: 'red' }, 'colour is not a known field'],
  [{ name: 'S', members: [{}] }, 'members[0].gateway is required'],
  [{ name: 'S', members: [{ gateway: 'a', tools: [''] }] }, 'members[0].tools[0] must not be empty'],
  [
    { name: 'S', members: [{ gateway: 'a', aliases: { 'a b': 'x' } }] },
    'members[0].aliases has a name that must match',
  ],
  [{ name: 'S', members: [{ gateway: 'a', aliases: { a: 7 } }] }, 'members[0].aliases.a must be a string'],
  [{ name: 'S', members: [{ gateway: 'a', prefix: 'a b' }] }, 'members[0].prefix must match'],
  [{ name: 'S', id: 'a/b' }, 'id must match'],
  [{ name: 'S', members: [], associated_tools: [] }, 'members says the same'],
])('%j is refused', (body, message) => {
  expect(() => parseServerCreate(body)).toThrow(refused(message));
});

test('an update may leave out everything, and cannot change the id', () => {
  expect(parseServerUpdate({})).toEqual({});
  expect(parseServerUpdate({ description: null })).toEqual({ description: null });
  expect(() => parseServerUpdate({ id: 'x' })).toThrow(refused('id cannot be changed'));
  expect(() => parseServerUpdate({ name: null })).toThrow(refused('name must not be null'));
});

test('what is known and not done is refused, unless it asks for nothing', () => {
  parseServerCreate({ name: 'S', associated_a2a_agents: [], oauth_enabled: false, oauth_config: null });
  for (const asked of [{ associated_a2a_agents: 'a' }, { oauth_enabled: true }, { oauth_config: {} }])
    expect(() => parseServerCreate({ name: 'S', ...asked })).toThrow(refused('not supported', 'feature_unsupported'));
});
