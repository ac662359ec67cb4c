/** What is published is packed, laid out as an installer would, and used from there, without the checkout's sources. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

const node = (...args: string[]) => run(process.execPath, args, { cwd: folder });

test('it holds the build, its types and the licence, and nothing else', () => {
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/src/index.d.ts']));
  expect(
    packed.filter((path) => !/^(?:dist\/(?:src|adapters)\/|docs\/|[A-Z]+(?:\.md)?$|package\.json$)/.test(path)),
  ).toEqual([]);
  expect(packed.filter((path) => path.includes('/demo/') || /(?<!\.d)\.ts$/.test(path))).toEqual([]);
});

test('the command answers', async () => {
  const bin = join(folder, 'node_modules/postern/dist/adapters/node/cli/main.js');
  expect(await readFile(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect((await node(bin, '--help')).stdout).toContain('postern serve');
});

test('both entries can be imported', async () => {
  const script = `
    const core = await import('postern');
    const adapter = await import('postern/node');
    console.log(JSON.stringify([Object.keys(core).length > 0, Object.keys(adapter).length > 0]));`;
  expect(JSON.parse((await node('--input-type=module', '--eval', script)).stdout)).toEqual([true, true]);
});

test('both entries bring their types', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(folder, 'consumer.ts'),
    `import * as core from 'postern';\nimport * as adapter from 'postern/node';\nexport const names: string[] = [...Object.keys(core), ...Object.keys(adapter)];\n`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  await expect(
    run(join(checkout, 'node_modules/.bin/tsc'), [...options, 'consumer.ts'], { cwd: folder }),
  ).resolves.toBeDefined();
});
