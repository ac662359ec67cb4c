/** A client certificate that is replaced is not withdrawn: what is under way with it may end, in its time. */
import { afterEach, expect, test } from 'vitest';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { startTwoServers, type TwoServers } from '../support/two-servers.ts';

let servers: TwoServers;
let identities: readonly MintedCertificate[];
afterEach(() => servers.close());

async function start(settings?: Record<string, string>): Promise<void> {
  const ca = await (await mintPki()).ca('CA');
  const own = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  identities = await Promise.all(['one', 'two', 'three'].map((cn) => ca.issue({ cn })));
  servers = await startTwoServers({
    first: own,
    second: own,
    fields: { ca_certificate: ca.pem, ...pair(0) },
    clientCa: ca.pem,
    ...(settings && { settings }),
  });
}

const pair = (index: number) => ({ client_cert: identities[index]?.chainPem, client_key: identities[index]?.keyPem });
const gauge = async () => {
  const metrics = await (await servers.gateway.api('GET', '/metrics')).text();
  return /^postern_draining\{gateway="up"\} (\d+)$/m.exec(metrics)?.[1];
};

test('calls and streams go on over the connections they began on, new ones take the new certificate', async () => {
  await start();
  const { first } = servers;
  const calls = [await servers.hold(first)];
  const stream = await servers.listen();
  for (const next of [1, 2, 0]) {
    await servers.change(pair(next));
    calls.push(await servers.hold(first));
  }
  expect(first.requestsOf('tools/call').map(({ clientSubject }) => clientSubject)).toEqual([
    'one',
    'two',
    'three',
    'one',
  ]);
  // server name and version decide whom we reach how, not whom we believe
  await servers.change({ server_name: '127.0.0.1', min_tls_version: 'TLSv1.3' });
  expect(await gauge()).toBe('4');
  await servers.call('change_tools');
  await stream.until('notifications/tools/list_changed');
  first.release();
  for (const { answer } of calls) expect(await answer).toBe('released');
  expect(servers.eventsOf('upstream.cut')).toEqual([]);
  await expect.poll(gauge).toBe('1');
});

test('what does not end in its time is ended and told, calls and streams alike', async () => {
  await start({ POSTERN_ROTATION_DRAIN_TIMEOUT: '1' });
  const { answer } = await servers.hold(servers.first);
  const stream = await servers.listen();
  await servers.change(pair(1));
  await expect(answer).rejects.toThrow(/"code":"drain_timeout"/);
  expect(await stream.whole).toMatch(/"id":"sub","error":.*"code":"drain_timeout"/);
  await expect.poll(() => servers.eventsOf('upstream.drained')).toEqual([{ gateway: 'up', cut: 2 }]);
  const metrics = await (await servers.gateway.api('GET', '/metrics')).text();
  expect(metrics).toContain('postern_calls_cut_total 2\n');
  expect(await gauge()).toBeUndefined();
});

test('a stop waits for what drains no longer than for the rest', async () => {
  await start();
  const { answer } = await servers.hold(servers.first);
  await servers.change(pair(1));
  const before = performance.now();
  await servers.gateway.gateway.close(200);
  expect(performance.now() - before).toBeLessThan(5_000);
  await expect(answer).rejects.toThrow(/"code":"drain_timeout"/);
});
