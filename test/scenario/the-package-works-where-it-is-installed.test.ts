/** What is published is packed, laid out as an installer would, and used from there, without the checkout's sources. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RUNTIMES } from '../runtime/programs.ts';

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
  const manifest = JSON.parse(await readFile(join(modules, 'postern/package.json'), 'utf8')) as Manifest;
  bin = join(modules, 'postern', manifest.bin.postern);
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
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
  readonly bin: { readonly postern: string };
  readonly dependencies: Readonly<Record<string, string>>;
}

let bin: string;
const node = (...args: string[]) => run(process.execPath, args, { cwd: folder });

/** What runs an installed program, and what the package calls the runtime. */
const RUNNERS = [
  ['Node 26', [RUNTIMES.node], 'Node'],
  ['Node 22', [RUNTIMES.node22], 'Node'],
  ['Deno', [RUNTIMES.deno, 'run', '--allow-all', '--node-modules-dir=manual'], 'Deno'],
  ['Bun', [RUNTIMES.bun], 'Bun'],
] as const;

test('it holds the build, its types, documents and the licence, and nothing else', () => {
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/src/index.d.ts']));
  expect(
    packed.filter(
      (path) => !/^(?:bin\/|dist\/(?:src|adapters)\/|deploy\/|docs\/|[A-Z]+(?:\.md)?$|package\.json$)/.test(path),
    ),
  ).toEqual([]);
  expect(packed.filter((path) => path.includes('/demo/') || /(?<!\.d)\.ts$/.test(path))).toEqual([]);
});

test('without the build it says what is missing', async () => {
  const unbuilt = join(folder, 'unbuilt');
  await mkdir(join(unbuilt, 'bin'), { recursive: true });
  for (const file of ['package.json', 'bin/postern.js'])
    await writeFile(join(unbuilt, file), await readFile(join(checkout, file)));
  const ran = node(join(unbuilt, 'bin/postern.js')).catch((error: { code: number; stderr: string }) => error);
  expect(await ran).toMatchObject({ code: 1, stderr: expect.stringContaining('`npm run build` first') });
});

test('the command is a program', async () => {
  expect(await readFile(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test.each(RUNNERS)('on %s the command is that of its adapter', async (_, [program, ...before], name) => {
  expect((await run(program, [...before, bin, '--help'], { cwd: folder })).stdout).toContain('start the gateway');
  // what a runtime refuses by its own name
  const keys = JSON.parse((await node(bin, 'vault', 'key', '--json')).stdout) as Record<string, string>;
  const env = { ...process.env, ...keys, POSTERN_STORAGE: 'd1:postern' };
  const elsewhere = run(program, [...before, bin, 'serve'], { cwd: folder, env });
  const refused = await elsewhere.catch((error: { code: number; stderr: string }) => error);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`Cloudflare Workers, not on ${name}`) });
});

test.each(RUNNERS)('on %s the gateway starts, answers and ends', async (_, [program, ...before]) => {
  const child = spawn(program, [...before, bin, 'serve', '--port', '0'], {
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
  const failure = node(bin, 'demo').catch((error: { code: number; stderr: string }) => error);
  expect(await failure).toMatchObject({ code: 1, stderr: expect.stringContaining('runs from a checkout') });
});

test.each([
  ['Node', [RUNTIMES.node], 'postern/node'],
  ['Deno', [RUNTIMES.deno, 'run', '--allow-all', '--node-modules-dir=manual'], 'postern/deno'],
  ['Bun', [RUNTIMES.bun], 'postern/bun'],
] as const)('the core and the adapter can be imported on %s', async (_, [program, ...before], adapter) => {
  const script = `
    const core = await import('postern');
    const adapter = await import('${adapter}');
    console.log(JSON.stringify([Object.keys(core).length > 0, typeof adapter.createPlatform]));`;
  await writeFile(join(folder, 'embedding.mjs'), script);
  const { stdout } = await run(program, [...before, 'embedding.mjs'], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual([true, 'function']);
});

const CONSUMER = `
import { GatewayError, type ErrorCode } from 'postern';
import { DENO } from 'postern/deno';
import { BUN } from 'postern/bun';
import { openStorage } from 'postern/node';
export const names: readonly string[] = [DENO.name, BUN.name];
export const code: ErrorCode = new GatewayError('not_found', 'typed').code;
// @ts-expect-error not one of our codes
new GatewayError('no_such_code', 'typed');
// @ts-expect-error not a way to say where
openStorage(42);
`;

test('every entry brings its types', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'consumer.ts'), CONSUMER);
  // skipLibCheck: some of unstorage's own declarations do not resolve
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
  const tsc = run(join(checkout, 'node_modules/.bin/tsc'), [...options, 'consumer.ts'], { cwd: folder });
  expect(await tsc.catch(({ stdout }: { stdout: string }) => stdout)).toEqual({ stdout: '', stderr: '' });
});
