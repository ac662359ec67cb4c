/** What is deployed: how large it is, what it needs, and what it does before the first request. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { bundle } from './bundle.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const LIMIT_BYTES = 200_000;

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder?.remove());

test('the Worker is small, and needs nothing of Node', async () => {
  const { gzipBytes, externals } = await bundle();
  expect(externals).toEqual([]);
  expect(gzipBytes).toBeLessThan(LIMIT_BYTES);
  const { stdout } = await run(process.execPath, [join(ROOT, 'test/runtime/workerd/bundle-size.ts')]);
  expect(stdout).toMatch(/^worker: [\d.]+ kB raw, [\d.]+ kB gzip \(limit 200\.0 kB\)\n$/);
});

/** What a Worker may not do before its first request, and what ours has no need to. */
const FORBIDDEN = `
  const refuse = (name) => () => { throw new Error(name + ' at import time'); };
  for (const name of ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'WebSocket'])
    globalThis[name] = refuse(name);
  for (const name of ['log', 'error', 'warn', 'info', 'debug']) console[name] = refuse('console.' + name);
  for (const name of ['getRandomValues', 'randomUUID']) crypto[name] = refuse(name);
  for (const name of ['digest', 'importKey', 'generateKey', 'sign', 'encrypt']) crypto.subtle[name] = refuse(name);
  Math.random = refuse('Math.random');
  Date.now = refuse('Date.now');
  performance.now = refuse('performance.now');
`;

test('it does nothing at import time', async () => {
  const { text } = await bundle();
  const load = async (code: string): Promise<string> => {
    const path = join(folder.path, 'worker.mjs');
    await writeFile(path, code);
    const program = `${FORBIDDEN}
      const { default: worker, PosternGateway } = await import(${JSON.stringify(path)});
      process.stdout.write([typeof worker.fetch, typeof worker.scheduled, typeof PosternGateway].join());`;
    return (await run(process.execPath, ['--input-type=module', '--eval', program])).stdout;
  };
  expect(await load(text)).toBe('function,function,function');
  await expect(load(`${text};crypto.randomUUID();`)).rejects.toThrow('randomUUID at import time');
});

test('wrangler deploys it, as far as that can be tried without an account', async () => {
  const env = { PATH: process.env['PATH'], HOME: folder.path, WRANGLER_SEND_METRICS: 'false', CI: '1' };
  const wrangler = join(ROOT, 'test/runtime/node_modules/wrangler/bin/wrangler.js');
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', join(folder.path, 'out')];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env });
  for (const bound of ['env.GATEWAY (PosternGateway)', 'env.DB (postern)', 'env.POSTERN_STORAGE ("d1:DB")'])
    expect(stdout).toContain(bound);
  const deployed = await readFile(join(folder.path, 'out/worker.js'));
  expect(gzipSync(deployed).length).toBeLessThan(LIMIT_BYTES);
  expect(deployed.toString()).not.toMatch(/from ?["']node:/);
});
