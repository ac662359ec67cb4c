import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCanaryKey } from '../../support/canaries.ts';
import type { CanaryKey } from '../../support/canaries.ts';
import { startRuntimeGateway } from '../../support/runtime-gateway.ts';
import type { RuntimeGateway, Subject } from '../../support/runtime-gateway.ts';
import { CLIENT, startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { until } from '../../support/until.ts';

/** Signals, a new start, and what a process leaves behind. */
export function processContract(subject: Subject): void {
  const secret = `canary-${crypto.randomUUID()}-${crypto.randomUUID()}`;
  let strict: StrictUpstream;
  let gateway: RuntimeGateway;
  let canary: CanaryKey;
  beforeAll(async () => {
    strict = await startStrictUpstream();
    canary = makeCanaryKey(strict.client.keyPem, [secret]);
    gateway = await startRuntimeGateway(subject, {
      args: ['--cert-dir', '.', '--log-level', 'debug'],
      env: { JWT_SECRET_KEY: secret },
    });
    const key = { client_key: canary.encryptedPem, client_key_password: canary.passphrase };
    await gateway.register({ ...strict.fields, ...key });
  });
  afterAll(async () => {
    await gateway?.close();
    await strict?.upstream.close();
  });
  const lastCaller = () => strict.upstream.requestsOf('tools/call').at(-1)?.clientSubject;

  test('SIGHUP reads everything again, and changes nothing where nothing changed', async () => {
    gateway.signal('SIGHUP');
    await until(() => /"event":"rotation.applied".*"reason":"signal"/.test(gateway.printed()));
    expect(await gateway.call('up_echo', { text: 'as before' })).toBe('as before');
  });

  test('a certificate that is replaced on disk is presented from then on', async () => {
    const issue = async (cn: string) => {
      const { bundlePem } = await strict.ca.issue({ cn, eku: 'client' });
      await gateway.write({ 'client.pem': bundlePem });
    };
    await issue('from a file');
    await gateway.register({ ...strict.fields, name: 'file', client_cert: 'client.pem', client_key: 'client.pem' });
    await gateway.call('file_echo');
    expect(lastCaller()).toBe('from a file');
    await issue('from a newer file');
    await until(async () => {
      expect(await gateway.call('file_echo', { text: 'on' })).toBe('on');
      return lastCaller() === 'from a newer file';
    });
  });

  test('SIGTERM lets a call finish and exits with 0; the next start serves what was registered', async () => {
    const answer = gateway.call('up_hold', { text: 'last' });
    await until(() => strict.upstream.isHolding('last'));
    gateway.signal('SIGTERM');
    expect(await gateway.logged('gateway.stopping')).toMatchObject({ reason: 'SIGTERM', inFlight: 1 });
    await expect(fetch(gateway.health)).rejects.toThrow();
    strict.upstream.release();
    expect(await answer).toBe('released');
    expect(await gateway.exited).toBe(0);
    expect(await gateway.logged('gateway.stopped')).toMatchObject({ cut: 0 });

    await gateway.start();
    expect(await gateway.call('up_echo', { text: 'again' })).toBe('again');
    expect(lastCaller()).toBe(CLIENT);
  });

  test('a second SIGTERM waits for nobody', async () => {
    const answer = gateway.call('up_hold', { text: 'cut' }).catch(() => 'cut');
    await until(() => strict.upstream.isHolding('cut'));
    gateway.signal('SIGTERM');
    await gateway.logged('gateway.stopping');
    expect(await gateway.stop()).toBe(1);
    expect(await answer).toBe('cut');
  });

  test('no secret was printed, and none lies open in the data directory', async () => {
    expect(gateway.printed()).toContain('"level":"debug"');
    expect(canary.countIn(gateway.printed())).toBe(0);
    expect(gateway.printed()).not.toContain(gateway.token);
    expect(canary.countIn(await gateway.folder.bytes())).toBe(0);
  });
}
