import { expect, test } from 'vitest';
import {
  STATELESS_CLIENT,
  envelopeOf,
  legacyClientOf,
  legacyServerCapabilities,
} from '../../../src/bridge/legacy-to-modern/legacy-client.ts';

const META = 'io.modelcontextprotocol/';

test('what a client said when it initialized goes into every envelope', () => {
  const initialize = {
    protocolVersion: '2025-11-25',
    capabilities: { roots: { listChanged: true }, elicitation: { form: {}, url: {} }, sampling: { tools: {} }, x: 1 },
    clientInfo: { name: 'c', version: '1' },
  };
  expect(envelopeOf(legacyClientOf(initialize, 'info'))).toEqual({
    [`${META}protocolVersion`]: '2026-07-28',
    [`${META}clientCapabilities`]: {
      roots: {},
      elicitation: { form: {}, url: {} },
      sampling: { tools: {} },
      x: 1,
    },
    [`${META}clientInfo`]: { name: 'c', version: '1' },
    [`${META}logLevel`]: 'info',
  });
});

test('a client that said nothing offers nothing and wants no lines', () => {
  const bare = { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: {} };
  expect(envelopeOf(legacyClientOf({}, undefined))).toEqual(bare);
  expect(envelopeOf(legacyClientOf({ capabilities: 'all', clientInfo: [] }, undefined))).toEqual(bare);
  expect(envelopeOf(STATELESS_CLIENT)).toEqual(bare);
});

test('neither side is told of the tasks of the other; other extensions are', () => {
  const capabilities = {
    tasks: { list: {} },
    extensions: { 'io.modelcontextprotocol/tasks': {}, 'com.example/ui': {} },
  };
  const left = { extensions: { 'com.example/ui': {} } };
  expect(legacyServerCapabilities({ ...capabilities, tools: {} })).toEqual({ ...left, tools: {} });
  expect(legacyClientOf({ capabilities }, undefined).capabilities).toEqual(left);
});
