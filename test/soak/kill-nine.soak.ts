/** What a REST call reported done is there after `kill -9`, and what was under way is there whole or not at all. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { lehmer } from '../support/random.ts';
import { scaled } from '../support/soak-scale.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const KILLS = scaled(40, 3);
const WRITERS = 4;
/** Names a writer works with: enough to create, change and remove, few enough to meet again. */
const NAMES = 6;
let upstream: PlainMcpServer;
let folder: TempFolder;

beforeAll(async () => {
  upstream = await startPlainMcpServer();
  folder = await makeTempFolder();
});
afterAll(async () => {
  await folder.remove();
  await upstream.close();
});

/** The description a gateway must have, null where there must be none, and what it may have been changed to. */
interface Expected {
  sure: string | null;
  perhaps: string | null | undefined;
}

/** Creates, changes and removes gateways, one after the other, until the process is gone. */
async function write(api: Api, owner: number, state: Map<string, Expected>, random: () => number, done: () => void) {
  for (let step = 0; ; step++) {
    const slug = `w${owner}-${Math.floor(random() * NAMES)}`;
    const known: Expected = state.get(slug) ?? { sure: null, perhaps: undefined };
    state.set(slug, known);
    const remove = known.sure !== null && random() < 0.3;
    known.perhaps = remove ? null : `${step} ${'x'.repeat(Math.floor(random() * 4_000))}`;
    const status = await change(api, slug, known).catch(() => undefined);
    if (status === undefined) return;
    expect(status, slug).toBeLessThan(300);
    [known.sure, known.perhaps] = [known.perhaps, undefined];
    done();
  }
}

function change(api: Api, slug: string, { sure, perhaps }: Expected): Promise<number> {
  if (perhaps === null) return api('DELETE', `/v1/gateways/${slug}`).then(({ status }) => status);
  if (sure !== null) return api('PUT', `/v1/gateways/${slug}`, { description: perhaps }).then(({ status }) => status);
  const fields = {
    name: slug,
    url: upstream.url,
    transport: 'STREAMABLEHTTP',
    auth_type: 'bearer',
    auth_token: 'secret',
  };
  return api('POST', '/v1/gateways', { ...fields, description: perhaps }).then(({ status }) => status);
}

type Api = (method: string, path: string, body?: object) => Promise<{ status: number; body: unknown }>;
const apiOf =
  ({ url }: ServingPostern, token: string): Api =>
  async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };

/** Compares what is served with what was promised, and takes over what became of the changes under way. */
async function assertKept(api: Api, state: Map<string, Expected>): Promise<void> {
  const listed = (await api('GET', '/v1/gateways?include_inactive=true')).body as {
    slug: string;
    description: string;
  }[];
  const found = new Map(listed.map(({ slug, description }) => [slug, description]));
  for (const [slug, expected] of state) {
    const { sure, perhaps } = expected;
    const met = found.get(slug) ?? null;
    const allowed = perhaps === undefined ? [sure] : [sure, perhaps];
    expect(
      allowed.includes(met),
      `${slug}: ${met?.slice(0, 20)} of ${allowed.map((text) => text?.slice(0, 20)).join()}`,
    ).toBe(true);
    [expected.sure, expected.perhaps] = [met, undefined];
    found.delete(slug);
    if (met !== null)
      expect(await api('GET', `/v1/gateways/${slug}`)).toMatchObject({ status: 200, body: { authToken: '*****' } });
  }
  expect([...found.keys()]).toEqual([]);
}

test(`${KILLS} times kill -9 while gateways are registered, changed and removed`, async () => {
  const cwd = folder.path;
  const random = lehmer(9);
  const state = new Map<string, Expected>();
  let token: string | undefined;
  let changes = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const postern = await servePostern([], { cwd });
    try {
      token ??= (await runPostern(['token', '--sub', 'ann', '--role', 'admin', '--ttl', '12h'], { cwd })).stdout.trim();
      const api = apiOf(postern, token);
      await assertKept(api, state);
      expect(postern.stderr()).not.toContain('record.refused');
      let left = Math.floor(random() * 40);
      const done = (): void => {
        changes++;
        if (left-- === 0) postern.signal('SIGKILL');
      };
      if (kill < KILLS)
        await Promise.all(Array.from({ length: WRITERS }, (_, owner) => write(api, owner, state, random, done)));
    } finally {
      await postern.kill();
    }
  }
  console.log(`${changes} changes were reported done`);
  expect(changes).toBeGreaterThan(KILLS);
});
