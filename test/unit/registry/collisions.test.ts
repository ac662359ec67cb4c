import { expect, test } from 'vitest';
import { refuseCollisions } from '../../../src/registry/collisions.ts';
import type { PublishedNames } from '../../../src/registry/collisions.ts';
import type { Listing } from '../../../src/upstream/facts.ts';

const listing = (tools: readonly string[], prompts: readonly string[] = []): Listing => ({
  tools: tools.map((name) => ({ name })),
  prompts: prompts.map((name) => ({ name })),
  resources: [],
  resourceTemplates: [],
});

const claims = (slug: string, more: Partial<PublishedNames> = {}): PublishedNames => ({
  id: slug,
  slug,
  name: slug,
  prefix: `${slug}_`,
  listing: listing(['add']),
  ...more,
});

const refused = (message: string) =>
  expect.objectContaining({ code: 'name_taken', message: expect.stringContaining(message) });

test('gateways of other names live side by side, also with the same tools', () => {
  refuseCollisions(claims('b'), [claims('a'), claims('time'), claims('time-zone')]);
});

test('a gateway does not clash with itself', () => {
  refuseCollisions(claims('a', { prefix: 'x_' }), [claims('a')]);
});

test('a name, a slug and a prefix belong to one gateway', () => {
  expect(() => refuseCollisions(claims('b', { name: 'a' }), [claims('a')])).toThrow(refused('the name is taken'));
  expect(() => refuseCollisions(claims('a', { id: 'z', name: 'A!' }), [claims('a')])).toThrow(refused('the slug a'));
  expect(() => refuseCollisions(claims('b', { prefix: 'a_' }), [claims('a')])).toThrow(refused('the prefix a_'));
});

test('no prefix is fine where nothing collides', () => {
  refuseCollisions(claims('b', { prefix: '', listing: listing(['sub']) }), [claims('a', { prefix: '' })]);
  refuseCollisions(claims('b', { prefix: '', listing: undefined }), [claims('a', { prefix: '' })]);
});

test('names that meet after prefixing are refused, tools and prompts each among themselves', () => {
  const bare = claims('b', { prefix: '', listing: listing(['a_add']) });
  expect(() => refuseCollisions(bare, [claims('a')])).toThrow(refused('a_add would be a tool or prompt of both'));
  const prompt = claims('b', { prefix: '', listing: listing([], ['add']) });
  const other = claims('a', { prefix: '', listing: listing([], ['add']) });
  expect(() => refuseCollisions(prompt, [other])).toThrow(refused('add would be'));
  refuseCollisions(prompt, [claims('a', { prefix: '', listing: listing(['add']) })]);
  const longer = claims('b', { prefix: 'a_b_', listing: listing(['c']) });
  expect(() => refuseCollisions(longer, [claims('a', { listing: listing(['b_c']) })])).toThrow(
    refused('a_b_c would be'),
  );
});
