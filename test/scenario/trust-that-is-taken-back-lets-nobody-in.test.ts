/** A CA that is trusted no more: open connections to its servers are cut, and no TLS session brings them back. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MintedCa } from '../support/pki.ts';
import { startServersOfTwoCas, type TwoServers } from '../support/two-servers.ts';

let old: MintedCa;
let renewed: MintedCa;
let servers: TwoServers;
beforeEach(async () => {
  ({ old, renewed, servers } = await startServersOfTwoCas((old, renewed) => old.pem + renewed.pem));
});
afterEach(() => servers.close());

test('calls on connections to its servers are cut within a second and told why, resumed connections too', async () => {
  const { first, second } = servers;
  const held = [await servers.hold(first), await servers.hold(first), await servers.hold(first)];
  expect(first.requestsOf('tools/call').some(({ resumed }) => resumed)).toBe(true);
  servers.leadTo(second);
  const before = performance.now();
  await servers.change({ ca_certificate: renewed.pem });
  for (const { answer } of held) await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  expect(performance.now() - before).toBeLessThan(1_000);
  const [cut, ...others] = servers.eventsOf('upstream.cut');
  expect(cut).toMatchObject({ gateway: 'up', why: 'trust', requests: 3 });
  expect(cut?.connections).toBeGreaterThanOrEqual(3);
  expect(others).toEqual([]);
  const metrics = await (await servers.gateway.api('GET', '/metrics')).text();
  expect(metrics).toContain(
    `postern_cut_total{side="upstream",gateway="up",reason="trust"} ${String(cut?.connections)}\n`,
  );
  expect(await servers.call('echo', 'goes on')).toBe('goes on');
});

test('a new handshake with such a server is refused, although it would resume', async () => {
  const { first, second } = servers;
  const { answer } = await servers.hold(first);
  servers.leadTo(second);
  await servers.change({ ca_certificate: renewed.pem });
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
  servers.leadTo(first);
  second.dropConnections();
  const arrived = first.requests.length;
  await expect(servers.call('echo', 'x')).rejects.toThrow(/"code":"tls_unknown_ca"/);
  expect(first.requests).toHaveLength(arrived);
});

test('a call that began two generations ago is judged by each of them', async () => {
  const { first, second } = servers;
  const { answer } = await servers.hold(first);
  await servers.change({ ca_certificate: renewed.pem + old.pem + old.pem, min_tls_version: 'TLSv1.3' });
  await servers.change({ min_tls_version: 'TLSv1.2', server_name: '127.0.0.1' });
  expect(first.held).toBe(1);
  expect(servers.eventsOf('upstream.cut')).toEqual([]);
  servers.leadTo(second);
  await servers.change({ ca_certificate: renewed.pem });
  await expect(answer).rejects.toThrow(/"code":"identity_withdrawn"/);
});
