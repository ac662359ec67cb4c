import { readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { isRunning, NODE_ALLOWED, stdioFields } from '../support/stdio-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();
let cwd: string;
beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
});

const SECRET = 'canary-from-the-shell';

/** A program that minds neither the end of its input nor a request to end, and serves all the same. */
const STUBBORN = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6);`;

async function add(args: readonly string[]): Promise<void> {
  const { command } = stdioFields();
  const added = await runPostern(
    ['gateways', 'add', 'local', '--command', command, ...args.map((arg) => `--arg=${arg}`), '--env', 'API_TOKEN'],
    { cwd, env: { ...NODE_ALLOWED, API_TOKEN: SECRET } },
  );
  expect(added).toMatchObject({ code: 0, stderr: expect.not.stringContaining(SECRET) as string });
  expect(added.stdout).toContain('transport: STDIO');
  expect(added.stdout).not.toContain(SECRET);
}

async function serve(): Promise<{ postern: ServingPostern; pid: number }> {
  const postern = await servePostern([], { cwd, env: NODE_ALLOWED });
  closing.push(() => postern.kill());
  const { pid } = (await postern.logged('process.started')) as { pid: number };
  return { postern, pid };
}

test('a program is registered from the shell, served, and ends when Postern stops', async () => {
  await add(stdioFields().args);
  const listed = await runPostern(['gateways', 'list'], { cwd, env: NODE_ALLOWED });
  expect(listed.stdout).toContain(process.execPath);
  const { postern, pid } = await serve();
  expect(await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => `API_TOKEN=${SECRET}`)).toContain(SECRET);
  postern.signal('SIGTERM');
  expect(await postern.exited).toBe(0);
  expect(isRunning(pid)).toBe(false);
  expect(postern.stderr()).not.toContain(SECRET);
  expect(postern.stderr()).toContain('"event":"process.ended"');
});

test('a program ends when Postern is killed', async () => {
  await add(stdioFields().args);
  const { postern, pid } = await serve();
  expect(isRunning(pid)).toBe(true);
  postern.signal('SIGKILL');
  await postern.exited;
  await until(() => !isRunning(pid));
});

test('a stubborn program does not outlive a Postern that must end at once', async () => {
  const [script, era] = stdioFields().args;
  await add(['--eval', `${STUBBORN} process.argv.splice(1, 0, 'x'); import(${JSON.stringify(script)})`, era]);
  const { postern, pid } = await serve();
  postern.signal('SIGTERM');
  await postern.logged('gateway.stopping');
  expect(isRunning(pid)).toBe(true);
  postern.signal('SIGTERM');
  expect(await postern.exited).toBe(1);
  await until(() => !isRunning(pid));
});

test('adding needs a URL or a command, not both', async () => {
  for (const args of [['local'], ['local', 'http://127.0.0.1:1/mcp', '--command', 'npx']]) {
    const ran = await runPostern(['gateways', 'add', ...args], { cwd });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('add NAME --command CMD')]);
  }
  const refused = await runPostern(['gateways', 'add', 'local', '--command', 'npx'], { cwd });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('POSTERN_STDIO_COMMANDS')]);
});
