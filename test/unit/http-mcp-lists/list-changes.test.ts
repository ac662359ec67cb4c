import { expect, test } from 'vitest';
import { ChangeFeed } from '../../../src/base/change-feed.ts';
import { joinedServer } from '../../../src/catalog/virtual-server.ts';
import type { VirtualServer } from '../../../src/catalog/virtual-server.ts';
import { KeptLists } from '../../../src/http/mcp/lists/kept-lists.ts';
import { ListChanges } from '../../../src/http/mcp/lists/list-changes.ts';
import { memberOf } from '../../support/catalog.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const TOOLS = 'notifications/tools/list_changed';
const RESOURCES = 'notifications/resources/list_changed';

const serverWith = (options: Parameters<typeof memberOf>[0]): VirtualServer =>
  joinedServer([{ id: 'up', prefix: '', upstream: memberOf(options).upstream }]);

function start(first: VirtualServer) {
  const clock = new ManualClock();
  const changes = new ChangeFeed();
  let server: VirtualServer | undefined = first;
  const listChanges = new ListChanges({ clock, changes, lists: new KeptLists(), again: () => server });
  const follow = () => {
    const told: string[] = [];
    const caller = new AbortController();
    listChanges.follow(first, (news) => void told.push(news), caller.signal);
    return { told, leave: () => caller.abort() };
  };
  const change = (next: VirtualServer | undefined, ...more: (VirtualServer | undefined)[]) => {
    for (server of [next, ...more]) changes.announce();
    clock.advance(50);
  };
  return { clock, changes, follow, change };
}

const one = { tools: [{ name: 'a' }], resources: [{ uri: 'x://1' }] };

test('every caller is told once of what reads differently, and of nothing else', () => {
  const { follow, change } = start(serverWith(one));
  const [ann, bob] = [follow(), follow()];
  change(serverWith(one));
  expect(ann.told).toEqual([]);
  change(serverWith({ ...one, tools: [{ name: 'b' }] }));
  expect([ann.told, bob.told]).toEqual([[TOOLS], [TOOLS]]);
  change(serverWith({ ...one, tools: [{ name: 'b' }], resourceTemplates: [{ uriTemplate: 'x://{id}' }] }));
  expect(ann.told).toEqual([TOOLS, RESOURCES]);
});

test('changes that come together are one; a change that is taken back is none', () => {
  const { follow, change } = start(serverWith(one));
  const { told } = follow();
  change(serverWith({ tools: [{ name: 'b' }] }), serverWith({ tools: [{ name: 'c' }] }));
  expect(told).toEqual([TOOLS, RESOURCES]);
  change(undefined, serverWith({ tools: [{ name: 'c' }] }));
  expect(told).toHaveLength(2);
  change(undefined);
  expect(told).toContain('notifications/prompts/list_changed');
});

test('who left hears nothing, and when nobody is left nothing runs', () => {
  const { clock, changes, follow, change } = start(serverWith(one));
  expect(changes.isFollowed).toBe(false);
  const [ann, bob] = [follow(), follow()];
  ann.leave();
  change(serverWith({}));
  expect([ann.told, bob.told.length]).toEqual([[], 2]);
  changes.announce();
  bob.leave();
  expect([changes.isFollowed, clock.pending]).toEqual([false, 0]);
});
