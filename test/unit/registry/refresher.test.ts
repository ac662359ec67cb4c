import { expect, test } from 'vitest';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { Refresher } from '../../../src/registry/refresher.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const GRANT = grantUpkeep('test');
const listing = (...names: string[]) => ({
  tools: names.map((name) => ({ name })),
  prompts: [],
  resources: [],
  resourceTemplates: [],
});

test('what an upstream lists otherwise than at the last visit is kept, what is due is read first', async () => {
  const kept: unknown[] = [];
  const asked: string[] = [];
  // the committer is the one place that writes, and the only one looked at here
  const committer = { keepListing: (_id: string, _upstream: unknown, facts: unknown) => void kept.push(facts) };
  const refresher = new Refresher({} as never, committer as never, new ManualClock());
  const facts = { listing: listing('a') };
  const upstream = {
    facts,
    listings: {
      isDue: false,
      watch: () => void asked.push('watch'),
      rereadDue: () => {
        asked.push('reread');
        upstream.facts = { listing: listing('a', 'b') };
      },
    },
  };
  const tend = () => refresher.tend(GRANT, 'id', upstream as unknown as Upstream);
  await tend();
  await tend();
  expect([asked, kept]).toEqual([['watch', 'watch'], []]);
  upstream.listings.isDue = true;
  await tend();
  upstream.listings.isDue = false;
  await tend();
  expect(asked.slice(2)).toEqual(['watch', 'reread', 'watch']);
  expect(kept).toEqual([{ listing: listing('a', 'b') }]);
});
