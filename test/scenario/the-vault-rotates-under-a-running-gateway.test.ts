import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { bare, openCallers } from '../support/callers.ts';
import { closeAfterEach } from '../support/closing.ts';
import { leaveGhost, removeGhost } from '../support/ghost-instance.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();
const GATEWAYS = 200;
const CALLERS = 8;
let cwd: string;
let upstream: McpUpstream;
let postern: ServingPostern;

beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
  upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  upstream.intercept = ({ headers }) =>
    headers.authorization === 'Bearer s3cret' ? undefined : new Response(null, { status: 401 });
  postern = await servePostern([], { cwd, env: { POSTERN_POLL_INTERVAL: '1' } });
  closing.push(() => postern.kill());
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runPostern(args, { cwd });
  if (code !== 0) throw new Error(stderr);
  return stdout.trimEnd();
};
const keyFile = () => join(cwd, 'data/vault.key');
const kidsInFile = async () => (await readFile(keyFile(), 'utf8')).split(',').map((key) => key.split(':')[0]);
const login = { auth_type: 'bearer', auth_token: 's3cret' };

async function openApi() {
  const authorization = `Bearer ${await run('token', '--sub', 'ann', '--role', 'admin')}`;
  return async (method: string, path: string, body?: object) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(postern.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
}

/** Calls without a pause, half of them in sessions that were sealed before; tells how many answered and what failed. */
async function callAllTheTime() {
  const callers = openCallers(postern.url, await run('token', '--sub', 'ann'), CALLERS);
  const session = await callers.session('/servers/up/mcp', 'echo');
  const ending = new AbortController();
  const failed: string[] = [];
  let answered = 0;
  const calls = Array.from({ length: CALLERS }, async (_, caller) => {
    const route = caller % 2 === 0 ? session : bare('/servers/up/mcp', 'echo');
    while (!ending.signal.aborted) {
      const answer = await callers.call(route, 'hello').catch(String);
      if (answer === 'hello') answered++;
      else failed.push(answer);
    }
  });
  const end = async () => {
    ending.abort();
    await Promise.all(calls);
  };
  closing.push(end, () => callers.close());
  await until(() => answered > CALLERS);
  return {
    answered: () => answered,
    async ended() {
      await end();
      return { answered, failed };
    },
  };
}

test(`${GATEWAYS} gateways are sealed anew under a gateway that runs, and no call fails`, async () => {
  const api = await openApi();
  await api('POST', '/v1/gateways', { name: 'up', url: upstream.url, ...login });
  for (let number = 0; number < GATEWAYS; number++) {
    await api('POST', '/v1/gateways?connect=false', { name: `spare ${number}`, url: upstream.url, ...login });
    await api('POST', `/v1/gateways/spare-${number}/state?activate=false`);
  }
  const calls = await callAllTheTime();
  const [old] = await kidsInFile();
  const before = calls.answered();
  const rotated = await runPostern(['vault', 'rotate'], { cwd });
  expect(calls.answered()).toBeGreaterThan(before + CALLERS);
  await until(() => calls.answered() > before + 100);
  const { answered, failed } = await calls.ended();
  expect([answered > 0, failed]).toEqual([true, []]);

  const [primary, ...retired] = await kidsInFile();
  expect(retired).toEqual([old]);
  expect(rotated.code, rotated.stderr).toBe(0);
  const [, count] = /^(\d+) records are sealed under the primary key (\w+) now$/m.exec(rotated.stdout) ?? [];
  expect(Number(count)).toBeGreaterThan(GATEWAYS);
  expect(rotated.stdout).toContain(`nothing in the store needs ${old} any more`);
  expect((await run('vault', 'status')).split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    [
      primary,
      'primary',
      expect.stringMatching(/^\d+ records$/),
      `${GATEWAYS + 1} sealed values`,
      'held by 1 of 1 instances',
    ],
    [old, 'unused', '0 records', '0 sealed values', 'held by 1 of 1 instances'],
  ]);

  // so it can be dropped
  await writeFile(keyFile(), (await readFile(keyFile(), 'utf8')).split(',')[0] ?? '');
  await run('rotate', '--wait');
  expect(await run('vault', 'status')).toMatch(/^\w+ +primary .+ held by 1 of 1 instances$/);
  expect(await api('PUT', '/v1/gateways/up', { description: 'still read' })).toMatchObject({ status: 'active' });
  expect(await api('POST', '/v1/gateways/spare-7/state?activate=true')).toMatchObject({ reachable: true });
  expect(postern.stderr()).not.toContain('record.refused');
}, 120_000);

test('an instance that does not take the key up in time is named, and nothing is sealed anew', async () => {
  await (
    await openApi()
  )('POST', '/v1/gateways', { name: 'up', url: upstream.url, ...login });
  const [old] = await kidsInFile();
  await leaveGhost(join(cwd, 'data'), 'ghost:1');
  const refused = await runPostern(['vault', 'rotate', '--timeout', '1', '--json'], { cwd });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(JSON.parse(refused.stderr)).toMatchObject({
    error: { code: 'vault_key_not_held', message: expect.stringMatching(/: ghost:1 does not hold vault key \w+$/) },
  });
  const { keys } = JSON.parse(await run('vault', 'status', '--json')) as { keys: { kid: string; values: number }[] };
  expect(keys.find(({ kid }) => kid === old)).toMatchObject({ values: 1 });

  await removeGhost(join(cwd, 'data'));
  const { resealed, unused } = JSON.parse(await run('vault', 'rotate', '--json')) as Record<string, unknown>;
  expect(resealed).toBeGreaterThan(0);
  expect(unused).toContain(old);
});
