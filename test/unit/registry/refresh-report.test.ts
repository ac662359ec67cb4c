import { expect, test } from 'vitest';
import { refreshReport } from '../../../src/registry/refresh-report.ts';
import type { Listing } from '../../../src/upstream/facts.ts';

const NOTHING: Listing = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
const META = { gatewayId: 'id-1', durationMs: 5, refreshedAt: '2026-01-01T00:00:00.000Z' };

test('additions, changes and removals are counted per kind; templates count as resources', () => {
  const before: Listing = {
    tools: [{ name: 'same' }, { name: 'changed', title: 'old' }, { name: 'gone' }],
    prompts: [{ name: 'gone' }],
    resources: [{ uri: 'a:1' }],
    resourceTemplates: [{ uriTemplate: 'a:{x}' }],
  };
  const after: Listing = {
    tools: [{ name: 'new' }, { name: 'changed', title: 'new' }, { name: 'same' }],
    prompts: [],
    resources: [{ uri: 'a:1', name: 'x' }],
    resourceTemplates: [{ uriTemplate: 'b:{x}' }],
  };
  expect(refreshReport(before, after, META)).toEqual({
    ...META,
    success: true,
    error: null,
    toolsAdded: 1,
    toolsUpdated: 1,
    toolsRemoved: 1,
    promptsAdded: 0,
    promptsUpdated: 0,
    promptsRemoved: 1,
    resourcesAdded: 1,
    resourcesUpdated: 1,
    resourcesRemoved: 1,
    validationErrors: [],
  });
});

test('everything is new at first', () => {
  expect(refreshReport(undefined, { ...NOTHING, tools: [{ name: 'a' }] }, META)).toMatchObject({
    toolsAdded: 1,
    toolsUpdated: 0,
  });
});
