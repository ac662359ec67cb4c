import { expect, test } from 'vitest';
import { formatVaultKeys, generateVaultKey } from '../../src/vault/vault-keys.ts';
import { closeAfterEach } from '../support/closing.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { ServingPostern } from '../support/postern.ts';
import { startServedFleet } from '../support/served-fleet.ts';

const closing = closeAfterEach();
const [K1, K2] = [generateVaultKey('k1'), generateVaultKey('k2')];
const keys = (...all: readonly (typeof K1)[]) => ({ POSTERN_VAULT_KEYS: formatVaultKeys(all).reveal() });

async function stop(instance: ServingPostern): Promise<void> {
  instance.signal('SIGTERM');
  expect(await instance.exited).toBe(0);
}

test('keys of a shared store are added everywhere, made primary, and only then seal', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  upstream.intercept = ({ headers }) =>
    headers.authorization === 'Bearer s3cret' ? undefined : new Response(null, { status: 401 });
  const fleet = await startServedFleet(1, keys(K1));
  closing.push(fleet.close);
  const [first] = fleet.instances as [ServingPostern];
  const login = { auth_type: 'bearer', auth_token: 's3cret' };
  await fleet.api('POST', '/v1/gateways', { name: 'up', url: upstream.url, ...login });
  const second = await fleet.join(keys(K1, K2));
  const rotate = () => fleet.runOverStore(['vault', 'rotate'], keys(K2, K1));

  // the first instance could read nothing that is sealed with it
  const refused = await rotate();
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    new RegExp(`:${first.pid} does not hold vault key k2 \\(vault_key_not_held\\)\\n +add the key behind`),
  );
  expect(refused.stderr).not.toContain(`:${second.pid}`);
  expect((await fleet.runOverStore(['vault', 'status'], keys(K1, K2))).stdout).toMatch(
    /^k1 +primary +\d+ records +1 sealed values +held by 2 of 2 instances\nk2 +unused .+ 1 of 2 instances\n$/,
  );

  // who holds it and seals with the other still is told of: what it writes needs the old one
  const third = await fleet.join(keys(K1, K2));
  await stop(first);
  const early = await rotate();
  expect(early.code, early.stderr).toBe(0);
  for (const { pid } of [second, third])
    expect(early.stderr).toMatch(new RegExp(`:${pid} still seals with k1: start it with k2 first`));
  expect(early.stdout).not.toContain('nothing in the store needs k1');

  const after = [await fleet.join(keys(K2, K1)), await fleet.join(keys(K2, K1))] as const;
  await stop(second);
  await stop(third);
  const done = await rotate();
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toContain('nothing in the store needs k1 any more');
  for (const instance of after) expect(await fleet.call(instance)).toBe('hello');

  expect(await fleet.call(await fleet.join(keys(K2)))).toBe('hello');
}, 60_000);

test('without keys of its own a shared store is not touched', async () => {
  const fleet = await startServedFleet(0);
  closing.push(fleet.close);
  const refused = await fleet.runOverStore(['vault', 'rotate'], { POSTERN_VAULT_KEYS: '' });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('a shared store needs POSTERN_VAULT_KEYS');
});
