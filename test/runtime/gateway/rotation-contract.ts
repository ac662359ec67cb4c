import { afterEach, expect, test } from 'vitest';
import { mintPki } from '../../support/pki.ts';
import { startProcessFleet } from '../../support/process-fleet.ts';
import type { ProcessFleet } from '../../support/process-fleet.ts';
import { tickOverSse } from '../../support/ticking.ts';
import { startTlsPostern } from '../../support/tls-postern.ts';
import { until } from '../../support/until.ts';
import type { Subject } from '../../support/runtime-gateway.ts';

/**
 * A process of each of these runtimes, over one store: what changes at the first reaches the others while all are called.
 *
 * @param storage a file all may use, or a Redis of the test
 */
export async function rotatesTogether(
  subjects: readonly Subject[],
  storage: 'redis' | `${string}:${string}`,
): Promise<void> {
  const commands = subjects.map(({ command }) => command);
  const storageOf = (_: number, url: string) => Promise.resolve(storage === 'redis' ? url : storage);
  // Redis tells of a change at once: nobody would look for it in the time a test has
  const env = { POSTERN_POLL_INTERVAL: storage === 'redis' ? '3600' : '1' };
  const fleet: ProcessFleet = await startProcessFleet(commands.length, storageOf, { commands, env });
  try {
    const [first, ...others] = fleet.instances;
    if (first === undefined) throw new Error('expected a fleet');
    await fleet.whileCalled(fleet.instances, async () => {
      const { status } = await fleet.api(first, 'PUT', '/v1/gateways/up', fleet.identities[1]);
      expect(status).toBe(200);
      await fleet.untilConverged(first, commands.length);
    });
    const before = fleet.upstream.calls.get('one') ?? 0;
    expect(before).toBeGreaterThan(0);
    for (const instance of others) await fleet.whileCalled([instance], () => Promise.resolve());
    expect(fleet.upstream.calls.get('one')).toBe(before);
    expect(fleet.upstream.calls.get('two')).toBeGreaterThan(0);
    expect([...fleet.upstream.calls.keys()].toSorted()).toEqual(['one', 'two']);
  } finally {
    await fleet.close();
  }
}

/** Rotation of what a process presents to servers, and to its callers. */
export function rotationContract(subject: Subject): void {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  test('a PUT at one process reaches another over a SQLite file, and no call fails', () =>
    rotatesTogether([subject, subject], 'sqlite:data/shared.db'));

  test('a PUT at one process reaches another over Redis, and no call fails', () =>
    rotatesTogether([subject, subject], 'redis'));

  test('callers show a certificate; the listener takes up a new one of its own under an open stream', async () => {
    const ca = await (await mintPki()).ca('Callers');
    const issue = (cn: string) => ca.issue({ cn, eku: 'client' });
    const [caller, revoked] = [await issue('caller'), await issue('revoked')];
    const lists = subject.runtime.listener.crl ? { POSTERN_CLIENT_CRL: 'callers.crl' } : {};
    const gateway = await startTlsPostern({
      env: { CA_CERTS: 'callers.pem', CERT_REQS: 'required', ...lists },
      args: ['--health-port', '0'],
      files: { 'callers.pem': ca.pem, 'callers.crl': await ca.crl([revoked.serialNumber]) },
      caller,
      command: subject.command,
    });
    closing.push(() => gateway.close());
    await expect(gateway.echo('nobody')).rejects.toThrow();
    const stranger = await gateway.ca.issue({ cn: 'stranger', eku: 'client' });
    await expect(gateway.echo('stranger', stranger)).rejects.toThrow();
    if (subject.runtime.listener.crl) await expect(gateway.echo('revoked', revoked)).rejects.toThrow();
    expect(await gateway.echo('somebody', caller)).toBe('somebody');

    const identity = { cert: caller.chainPem, key: caller.keyPem };
    const stream = await tickOverSse({ ...gateway.source, ...identity });
    closing.push(() => stream.close());
    expect(await gateway.presented(caller)).toBe('first');
    await gateway.write('both.pem', (await gateway.issue('second')).bundlePem);
    await until(async () => (await gateway.presented(caller)) === 'second');
    await stream.more(3);
    gateway.ticker.finish();
    const last = Number(await stream.ended);
    expect(stream.ticks).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    expect(await gateway.echo('as before', caller)).toBe('as before');
  });
}
