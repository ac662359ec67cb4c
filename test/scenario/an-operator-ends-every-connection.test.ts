/** A cut that an operator asks for ends what is under way, old connections that drain too; new work goes on at once. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mintPki, type MintedCa } from '../support/pki.ts';
import { startTwoServers, type TwoServers } from '../support/two-servers.ts';

let ca: MintedCa;
let servers: TwoServers;

beforeEach(async () => {
  ca = await (await mintPki()).ca('CA');
  const own = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  servers = await startTwoServers({ first: own, second: own, fields: { ca_certificate: ca.pem } });
});
afterEach(() => servers.close());

test('calls of this and of former generations fail and say why; the next call opens a connection', async () => {
  const { first } = servers;
  const former = await servers.hold(first);
  const { chainPem: client_cert, keyPem: client_key } = await ca.issue({ cn: 'client' });
  await servers.change({ client_cert, client_key });
  const current = await servers.hold(first);
  const stream = await servers.listen();
  servers.gateway.gateway.registry.cut('all');
  for (const { answer } of [former, current]) await expect(answer).rejects.toThrow(/"code":"connection_cut"/);
  expect(await stream.whole).toMatch(/"error":.*"code":"connection_cut"/);
  const cuts = servers.eventsOf('upstream.cut');
  expect(cuts.map(({ why }) => why)).toEqual(['operator', 'operator']);
  expect(cuts.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThanOrEqual(3);
  const { handshakes } = first;
  expect(await servers.call('echo', 'at once')).toBe('at once');
  expect(first.handshakes).toBeGreaterThan(handshakes);
  const read = (await (await servers.gateway.api('GET', '/v1/gateways/up')).json()) as Record<string, unknown>;
  expect(read).toMatchObject({ health: { status: 'healthy' } });
});
