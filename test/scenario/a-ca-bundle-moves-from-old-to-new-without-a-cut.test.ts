/** Old, then old and new, then new: whoever moves a server to another CA in these steps loses no call. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MintedCa } from '../support/pki.ts';
import { startServersOfTwoCas, type TwoServers } from '../support/two-servers.ts';

let old: MintedCa;
let renewed: MintedCa;
let servers: TwoServers;
beforeEach(async () => {
  ({ old, renewed, servers } = await startServersOfTwoCas((old) => old.pem));
});
afterEach(() => servers.close());

test('calls and streams drain at each step, and nothing is cut while its server holds', async () => {
  const { first, second } = servers;
  const early = await servers.hold(first);
  await servers.change({ ca_certificate: old.pem + renewed.pem });
  const between = await servers.hold(first);
  servers.leadTo(second);
  // the server moves: what is under way there ends, then it is gone
  first.release();
  expect(await Promise.all([early.answer, between.answer])).toEqual(['released', 'released']);
  first.dropConnections();

  const late = await servers.hold(second);
  const stream = await servers.listen();
  await servers.change({ ca_certificate: renewed.pem });
  expect(second.held).toBe(1);
  await servers.call('change_tools');
  await stream.until('notifications/tools/list_changed');
  second.release();
  expect(await late.answer).toBe('released');
  expect(servers.eventsOf('upstream.cut')).toEqual([]);
  expect(servers.eventsOf('upstream.draining').length).toBe(2);
});
