import { expect, test } from 'vitest';
import { publishedItems } from '../../../src/catalog/published-items.ts';
import { applyPatch, draftOf } from '../../../src/catalog/server-draft.ts';
import type { Surroundings } from '../../../src/catalog/server-draft.ts';
import { joinedServer } from '../../../src/catalog/virtual-server.ts';
import { memberOf } from '../../support/catalog.ts';

const everything = joinedServer([
  {
    id: '1',
    ...memberOf({
      id: 'crm',
      prefix: 'crm_',
      tools: [{ name: 'find' }, { name: 'drop' }],
      resources: [{ uri: 'x://1' }],
      resourceTemplates: [{ uriTemplate: 'x://{id}' }],
    }),
  },
  { id: '2', ...memberOf({ id: 'erp', prefix: 'erp_', tools: [{ name: 'find' }], prompts: [{ name: 'greet' }] }) },
]);
const around: Surroundings = {
  gateways: [
    { id: '1', slug: 'crm' },
    { id: '2', slug: 'erp' },
  ],
  everything,
};
const made = (input: object) => draftOf('id', { name: 'Sales desk', ...input }, around);
const NONE = { tools: [], prompts: [], resources: [] };

test('the slug is made of the name once', () => {
  const draft = made({});
  expect(draft).toMatchObject({ id: 'id', slug: 'sales-desk', name: 'Sales desk', enabled: true, members: [] });
  expect(applyPatch(draft, { name: ' Other ' }, around)).toMatchObject({ slug: 'sales-desk', name: 'Other' });
});

test('absent keeps, null clears', () => {
  const draft = made({ description: 'd', enabled: false, members: [{ gateway: 'crm' }], tags: ['t'], icon: 'i' });
  expect(applyPatch(draft, {}, around)).toEqual(draft);
  const cleared = applyPatch(
    draft,
    { description: null, enabled: null, members: null, tags: null, icon: null },
    around,
  );
  expect(cleared).toMatchObject({ enabled: true, members: [] });
  expect([cleared.description, cleared.labels.tags, cleared.labels.icon]).toEqual([undefined, undefined, undefined]);
});

test('gateways are kept by slug, and must exist unless they were members before', () => {
  expect(made({ members: [{ gateway: '1', prefix: null }, { gateway: 'e*' }] }).members).toEqual([
    { gateway: 'crm' },
    { gateway: 'e*' },
  ]);
  const unknown = expect.objectContaining({ code: 'config_invalid', details: { gateway: 'gone' } }) as Error;
  expect(() => made({ members: [{ gateway: 'gone' }] })).toThrow(unknown);
  const members = [{ gateway: 'gone' }, { gateway: 'crm' }];
  expect(applyPatch({ ...made({}), members }, { members }, around).members).toEqual(members);
  expect(() => made({ members: [{ gateway: 'crm' }, { gateway: '1' }] })).toThrow('a member twice');
});

test('associated items are found by published name and by id', () => {
  const id = publishedItems(everything, 'tools').find(({ name }) => name === 'crm_drop')?.id ?? '';
  expect(id).toMatch(/^[\w-]{22}$/);
  const draft = made({
    associatedTools: [id, 'erp_find', 'erp_find'],
    associatedPrompts: ['erp_greet'],
    associatedResources: ['x://1', 'x://{id}'],
  });
  expect(draft.members).toEqual([
    { gateway: 'crm', ...NONE, tools: ['drop'], resources: ['x://1', 'x://{id}'] },
    { gateway: 'erp', ...NONE, tools: ['find'], prompts: ['greet'] },
  ]);
  expect(() => made({ associatedTools: ['find'] })).toThrow('none of the published tools has the id or name find');
});

test('associating one kind again keeps the others, and what shows nothing any more is no member', () => {
  const draft = made({ associatedTools: ['crm_find', 'erp_find'], associatedPrompts: ['erp_greet'] });
  expect(applyPatch(draft, { associatedTools: ['crm_drop'] }, around).members).toEqual([
    { gateway: 'crm', ...NONE, tools: ['drop'] },
    { gateway: 'erp', ...NONE, prompts: ['greet'] },
  ]);
  expect(applyPatch(draft, { associatedTools: null }, around).members).toEqual([
    { gateway: 'erp', ...NONE, prompts: ['greet'] },
  ]);
  const selector = { ...draft, members: [{ gateway: '*', denyTools: ['x'] }] };
  expect(applyPatch(selector, { associatedTools: ['crm_find'] }, around).members).toEqual([
    { gateway: 'crm', ...NONE, tools: ['find'] },
    { gateway: '*', denyTools: ['x'], tools: [] },
  ]);
});
