/** Two servers behind one address, one of which is trusted no more: its streams end and say so, those of the other go on. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MintedCa } from '../support/pki.ts';
import { startServersOfTwoCas, type ReadStream, type TwoServers } from '../support/two-servers.ts';

let renewed: MintedCa;
let servers: TwoServers;
beforeEach(async () => {
  ({ renewed, servers } = await startServersOfTwoCas((old, renewed) => old.pem + renewed.pem));
});
afterEach(() => servers.close());

test('a stream to the withdrawn server ends within a second and says why; one to the other server goes on', async () => {
  const { second } = servers;
  const withdrawn = [await servers.listen()];
  servers.leadTo(second);
  const listening = () => second.requestsOf('subscriptions/listen').length;
  let stays: ReadStream | undefined;
  // idle connections to the first server are taken up before a new one is opened
  while (stays === undefined) {
    const stream = await servers.listen();
    if (listening() > 0) stays = stream;
    else withdrawn.push(stream);
  }
  const before = performance.now();
  await servers.change({ ca_certificate: renewed.pem });
  for (const { whole } of withdrawn) {
    const said = await whole;
    expect(said).toMatch(/"id":"sub","error":.*"code":"identity_withdrawn"/);
    expect(said).toContain('nobody this upstream trusts now vouches for the server');
  }
  expect(performance.now() - before).toBeLessThan(1_000);
  await servers.call('change_tools');
  await stays.until('notifications/tools/list_changed');
  expect(stays.said).not.toContain('identity_withdrawn');
  expect(servers.eventsOf('upstream.draining')).toEqual([expect.objectContaining({ gateway: 'up' })]);
});
