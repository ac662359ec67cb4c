import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import type { MintedCa } from '../support/pki.ts';
import type { ServingPostern } from '../support/postern.ts';
import { startServedFleet } from '../support/served-fleet.ts';
import type { ServedFleet } from '../support/served-fleet.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import type { StrictUpstream } from '../support/strict-upstream.ts';

const closing = closeAfterEach();
let fleet: ServedFleet;
let strict: StrictUpstream;
let first: ServingPostern;
let second: ServingPostern;

beforeAll(async () => {
  strict = await startStrictUpstream();
  fleet = await startServedFleet(2);
  [first, second] = fleet.instances as [ServingPostern, ServingPostern];
  await present(strict.ca, 'at first');
  const files = { client_cert: join(fleet.cwd, 'client.crt'), client_key: join(fleet.cwd, 'client.key') };
  await fleet.api('POST', '/v1/gateways', { ...strict.fields, ...files });
});
afterAll(async () => {
  await fleet.close();
  await strict.upstream.close();
});
/** Every test begins with everybody at what is stored. */
beforeEach(async () => {
  await present(strict.ca, 'at first');
  expect((await fleet.run('rotate', '--wait')).code).toBe(0);
});

/** Has the files hold a certificate of this authority. */
async function present(ca: MintedCa, cn: string): Promise<void> {
  const { chainPem, keyPem } = await ca.issue({ cn, eku: 'client' });
  writeFileSync(join(fleet.cwd, 'client.crt'), chainPem);
  writeFileSync(join(fleet.cwd, 'client.key'), keyPem);
}

const nameOf = ({ pid }: ServingPostern): string => `${hostname()}:${pid}`;
/** Whose certificate a call through this instance comes with. */
async function presentedBy(instance: ServingPostern): Promise<string | undefined> {
  strict.upstream.requests.length = 0;
  expect(await fleet.call(instance)).toBe('hello');
  return strict.upstream.requestsOf('tools/call').at(-1)?.clientSubject;
}

test('without --wait the generation is named, with it every instance is', async () => {
  await present(strict.ca, 'renewed');
  const asked = await fleet.run('rotate', '--gateway', 'up');
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(asked.stdout).toMatch(/^generation \d+ is written\n$/);

  const waited = await fleet.run('rotate', '--gateway', 'up', '--wait');
  expect(waited).toMatchObject({ code: 0, stderr: '' });
  const lines = waited.stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
    [nameOf(first), nameOf(second)].toSorted().map((name) => [name, 'current']),
  );
  for (const instance of [first, second]) expect(await presentedBy(instance)).toBe('renewed');

  const nobody = await fleet.run('rotate', '--gateway', 'nobody');
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('the id, slug or name nobody') });
  const view = JSON.parse((await fleet.run('rotate', '--wait', '--json')).stdout) as Record<string, unknown>;
  expect(view).toMatchObject({ converged: true, instances: [{ state: 'current' }, { state: 'current' }] });
});

test('a certificate the server refuses makes --wait fail, names where and why, and serves nobody', async () => {
  const stranger = await strict.pki.ca('Stranger');
  await present(stranger, 'refused');
  const waited = await fleet.run('rotate', '--wait');
  expect(waited.code).toBe(1);
  for (const instance of [first, second])
    expect(waited.stderr).toMatch(
      new RegExp(`^${nameOf(instance)}: up: .+ \\((?:connection_lost|tls_client_certificate_\\w+)\\)$`, 'm'),
    );
  expect(waited.stdout.match(/ {2}failed {2}/g)).toHaveLength(2);
  for (const instance of [first, second]) expect(await presentedBy(instance)).toBe('at first');
  const status = await fleet.run('rotate', '--status');
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(/^generation \d+: \w+ by .+ at [\dT:.-]+Z$/m);
  for (const line of waited.stderr.trimEnd().split('\n')) expect(status.stdout).toContain(line);

  // the same question about another gateway is not answered by this one's trouble
  await fleet.api('POST', '/v1/gateways?connect=false', { name: 'other', url: 'http://127.0.0.1:9/mcp' });
  closing.push(() => fleet.api('DELETE', '/v1/gateways/other').then(() => undefined));
  expect(await fleet.run('rotate', '--gateway', 'other', '--wait')).toMatchObject({ code: 0, stderr: '' });
});

test('an instance that hangs is named when the time is over, and comes to it later', async () => {
  second.signal('SIGSTOP');
  try {
    const waited = await fleet.run('rotate', '--wait', '--timeout', '1');
    expect(waited.code).toBe(1);
    expect(waited.stderr).toContain(`${nameOf(second)} is behind after 1 s: it serves generation `);
    expect(waited.stderr).not.toContain(nameOf(first));
  } finally {
    second.signal('SIGCONT');
  }
  expect((await fleet.run('rotate', '--wait')).code).toBe(0);
});

test('--cut ends calls under way at every instance, although nothing changed', async () => {
  const held = [first, second].map((instance) => fleet.call(instance, 'hold').catch(String));
  await strict.upstream.untilHeld(2);
  closing.push(async () => strict.upstream.release());
  expect((await fleet.run('rotate', '--gateway', 'up', '--cut', '--wait')).code).toBe(0);
  for (const answer of await Promise.all(held)) expect(answer).toContain('connection_cut');
  for (const instance of [first, second]) expect(await presentedBy(instance)).toBe('at first');
});
