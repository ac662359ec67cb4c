/** ContextForge bug B8: one entry too many emptied its whole TLS cache; ours lets the least recently used one go. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventFields } from '../../src/base/events.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import type { StrictUpstream } from '../support/strict-upstream.ts';

let strict: StrictUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  strict = await startStrictUpstream();
  gateway = await startGateway({ settings: { SSL_CONTEXT_CACHE_MAX_SIZE: '3' } });
});
afterAll(async () => {
  await gateway.close();
  await strict.upstream.close();
});

test('an eviction takes one context, the one not used for longest', async () => {
  const subjects = new Map<string, string>();
  const built = () =>
    gateway.events
      .filter(({ name }) => name === 'context.built')
      .map(({ fields }) => subjects.get((fields as EventFields['context.built']).fingerprint) ?? 'unknown');
  // inactive gateways hold no channel: their contexts are what the bound is about
  const addInactive = async (name: string) => {
    const { chainPem, keyPem } = await strict.ca.issue({ cn: name, eku: 'client' });
    await gateway.register({ ...strict.fields, name, client_cert: chainPem, client_key: keyPem });
    const entry = gateway.gateway.registry.snapshot().bySlug(name);
    subjects.set(entry?.upstream.config.profile?.fingerprint ?? '', name);
    await gateway.api('POST', `/v1/gateways/${name}/state?activate=false`);
  };
  const check = async (name: string) => {
    const response = await gateway.api('POST', `/v1/gateways/${name}/check`);
    expect(await response.json()).toMatchObject({ ok: true, presented: { subject: `CN=${name}` } });
  };

  for (const name of ['a', 'b', 'c']) await addInactive(name);
  await expect.poll(() => gateway.countOf('channel.drained')).toBe(3);
  await check('a');
  expect(built()).toEqual(['a', 'b', 'c']);

  await addInactive('d');
  await expect.poll(() => gateway.countOf('channel.drained')).toBe(4);
  for (const name of ['c', 'a', 'd']) await check(name);
  expect(built()).toEqual(['a', 'b', 'c', 'd']);

  await check('b');
  expect(built().slice(4)).toEqual(['b']);
  for (const name of ['a', 'd', 'b']) await check(name);
  expect(built()).toHaveLength(5);
  await check('c');
  expect(built().slice(5)).toEqual(['c']);
});
