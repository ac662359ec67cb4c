/** What is published is packed, laid out as an installer would, and used from there, without the checkout's sources. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const checkout = join(import.meta.dirname, '../..');

let folder: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout });
  // npm 11 and older print a list, newer ones an object by package name
  const [summary] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, PackSummary>);
  packed = summary?.files.map(({ path }) => path) ?? [];

  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'postern'), { recursive: true });
  const tarball = join(folder, summary?.filename ?? '');
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'postern')]);
  // only what the package says it depends on, so that a forgotten dependency shows
  const { dependencies } = JSON.parse(await readFile(join(modules, 'postern/package.json'), 'utf8')) as Manifest;
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(checkout, 'node_modules', name), join(modules, name));
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface PackSummary {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

const bin = () => join(folder, 'node_modules/postern/dist/adapters/node/main.js');
const node = (...args: string[]) => run(process.execPath, args, { cwd: folder });

test('it holds the build, its types and the licence, and nothing else', () => {
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/src/index.d.ts']));
  expect(
    packed.filter((path) => !/^(?:dist\/(?:src|adapters)\/|docs\/|[A-Z]+(?:\.md)?$|package\.json$)/.test(path)),
  ).toEqual([]);
  expect(packed.filter((path) => path.includes('/demo/') || /(?<!\.d)\.ts$/.test(path))).toEqual([]);
});

test('the command answers', async () => {
  expect(await readFile(bin(), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect((await node(bin(), '--help')).stdout).toContain('start the gateway');
});

test('the gateway starts, answers and ends', async () => {
  const child = spawn(process.execPath, [bin(), 'serve', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { health } = JSON.parse(line) as { health: string };
  expect((await fetch(health)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('the demo says that it needs a checkout', async () => {
  const failure = node(bin(), 'demo').catch((error: { code: number; stderr: string }) => error);
  expect(await failure).toMatchObject({ code: 1, stderr: expect.stringContaining('runs from a checkout') });
});

test('both entries can be imported', async () => {
  const script = `
    const core = await import('postern');
    const adapter = await import('postern/node');
    console.log(JSON.stringify([Object.keys(core).length > 0, Object.keys(adapter).length > 0]));`;
  expect(JSON.parse((await node('--input-type=module', '--eval', script)).stdout)).toEqual([true, true]);
});

const CONSUMER = `
import { GatewayError, type ErrorCode } from 'postern';
import { openStorage } from 'postern/node';
export const code: ErrorCode = new GatewayError('not_found', 'typed').code;
// @ts-expect-error not one of our codes
new GatewayError('no_such_code', 'typed');
// @ts-expect-error not a way to say where
openStorage(42);
`;

test('both entries bring their types', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'consumer.ts'), CONSUMER);
  // skipLibCheck: some of unstorage's own declarations do not resolve
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
  const tsc = run(join(checkout, 'node_modules/.bin/tsc'), [...options, 'consumer.ts'], { cwd: folder });
  expect(await tsc.catch(({ stdout }: { stdout: string }) => stdout)).toEqual({ stdout: '', stderr: '' });
});
