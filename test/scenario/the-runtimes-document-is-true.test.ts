/** What docs/runtimes.md shows is done as it stands there, on the runtimes it speaks of. */
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { BUN } from '../../adapters/bun/runtime.ts';
import { openStorage as openWorkersStorage } from '../../adapters/cloudflare/storage/open-storage.ts';
import { DENO } from '../../adapters/deno/runtime.ts';
import { openMemory } from '../../adapters/node-compat/storage/memory.ts';
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import type { GatewayError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { StorageDriver } from '../../src/store/driver.ts';
import { RUNTIMES } from '../runtime/programs.ts';
import { closeAfterEach } from '../support/closing.ts';
import { freePort } from '../support/free-port.ts';
import { codeSpansOf, fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { startRedis } from '../support/redis.ts';
import { denoPermissions } from '../support/runtime-gateway.ts';
import { openShell } from '../support/shell.ts';
import type { Shell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/runtimes.md'), 'utf8');
const ADDRESS = 'http://127.0.0.1:4444';

const closing = closeAfterEach();
let cwd: string;
let shell: Shell;
beforeEach(async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  cwd = folder.path;
  // what a checkout needs to run, in a folder where commands may write
  for (const name of ['package.json', 'node_modules', 'src', 'adapters'])
    symlinkSync(join(ROOT, name), join(cwd, name));
  // Deno runs tasks where the file really is
  cpSync(join(ROOT, 'deno.json'), join(cwd, 'deno.json'));
  await mkdir(join(cwd, 'test'));
  symlinkSync(join(ROOT, 'test/runtime'), join(cwd, 'test/runtime'));
  const folders = [dirname(RUNTIMES.deno), process.env['PATH']];
  shell = openShell(cwd, { PATH: folders.join(delimiter), PORT: '0' });
});

/** The certificates and the server of README's quick start. */
async function startServer(): Promise<number> {
  const port = await freePort();
  await shell.run('npm run -s postern -- certs server warehouse\nnpm run -s postern -- certs gateway');
  const certificates = join(cwd, 'certs/mcp/plugins/warehouse');
  const [cert = '', key = '', ca] = await Promise.all(
    ['server.crt', 'server.key', 'ca.crt'].map((name) => readFile(join(certificates, name), 'utf8')),
  );
  const tls = { cert, key, ca, requireClientCertificate: true };
  const server = await startMcpUpstream({ listenHost: 'localhost', port, tls });
  closing.push(() => server.close());
  return port;
}

test.each(['Deno', 'Bun'])(
  'the quick start of %s works as written',
  async (section) => {
    const port = await startServer();
    const [start, ready, commands, ...more] = fencesOf(sectionOf(text, section));
    expect(more).toEqual([]);
    const { printed, ended } = await shell.start(start?.text.trimEnd() ?? '', (line) => line.startsWith('{'));
    closing.push(async () => {
      process.kill(Number(await readFile(join(cwd, 'data/postern.pid'), 'utf8')));
      await ended;
    });
    const { url } = JSON.parse(printed) as { url: string };
    expect(JSON.parse(printed.replaceAll(url, ADDRESS))).toEqual(JSON.parse(ready?.text ?? ''));
    const adapted = commands?.text.replaceAll(ADDRESS, url).replaceAll('localhost:8443', `localhost:${port}`);
    expect(await shell.run(adapted ?? '')).toMatch(/^ok: true$/m);
  },
  60_000,
);

test('the quick start of Cloudflare Workers works as written', async () => {
  const port = await startServer();
  const [start, ready, commands, ...more] = fencesOf(sectionOf(text, 'Cloudflare Workers'));
  expect(more).toEqual([]);
  const { printed, ended } = await shell.start(start?.text.trimEnd() ?? '', (line) => line.startsWith('{'));
  closing.push(async () => {
    process.kill(Number(await readFile(join(cwd, 'data/workers/postern.pid'), 'utf8')));
    await ended;
  });
  const { url } = JSON.parse(printed) as { url: string };
  expect(JSON.parse(printed.replaceAll(url, ADDRESS))).toEqual(JSON.parse(ready?.text ?? ''));
  const adapted = commands?.text.replaceAll(ADDRESS, url).replaceAll('localhost:8443', `localhost:${port}`);
  expect(await shell.run(adapted ?? '')).toMatch(/^ok: true$/m);
}, 60_000);

test('a gateway without a machine is served as written', async () => {
  const redis = await startRedis();
  closing.push(() => redis.close());
  const port = await freePort();
  const [start, commands, ...more] = fencesOf(sectionOf(text, 'Deno without a machine'));
  expect(more).toEqual([]);
  const [keys = '', storage = '', serve = ''] = start?.text.split('\n') ?? [];
  await shell.run(`${keys}\n${storage.replace('redis://localhost:6379', redis.url)}`);
  const at = serve.replace('4444', String(port));
  expect(at).not.toBe(serve);
  const { ended } = await shell.start(`echo $$ > pid; exec ${at} 2>&1`, (line) => line.includes('Listening on'));
  closing.push(async () => {
    process.kill(Number(await readFile(join(cwd, 'pid'), 'utf8')));
    await ended;
  });
  await shell.run(commands?.text.replaceAll(ADDRESS, `http://127.0.0.1:${port}`) ?? '');
}, 60_000);

test('the permissions it lists are those Deno is started with, and each of package.json is one of them', () => {
  const listed = rowsOf(sectionOf(text, 'Deno')).map(([permission = '']) => codeSpansOf(permission)[0] ?? '');
  const kinds = (permissions: readonly string[]) => permissions.map((permission) => permission.split('=')[0]);
  expect(kinds(listed)).toEqual([...kinds(denoPermissions()), '--allow-run']);
});

test('the permissions it lists suffice, at a second start too', async () => {
  const listed = rowsOf(sectionOf(text, 'Deno')).map(([permission = '']) => codeSpansOf(permission)[0] ?? '');
  const flags = listed.filter((permission) => !permission.startsWith('--allow-run')).join(' ');
  for (const _ of ['first', 'second']) {
    const line = `exec deno run --no-prompt ${flags} adapters/deno/main.ts serve`;
    const { ended } = await shell.start(line, (printed) => printed.startsWith('{"event":"ready"'));
    process.kill(Number(await readFile(join(cwd, 'data/postern.pid'), 'utf8')));
    await ended;
  }
});

test('the stores it lists are those each runtime knows', async () => {
  const knows = async (open: () => Promise<StorageDriver>): Promise<string> => {
    try {
      await (await open()).close();
    } catch (error) {
      // one that cannot be reached is known all the same
      return (error as GatewayError).code === 'capability_unsupported' ? 'no' : 'yes';
    }
    return 'yes';
  };
  const examples = { 'sqlite:': `sqlite:${cwd}/a.db`, 'deno-kv:FILE': `deno-kv:${cwd}/a.kv` };
  const rows = rowsOf(sectionOf(text, 'Stores, and how soon another instance knows'));
  expect(rows.length).toBe(8);
  for (const [stores = '', node, deno, bun, , workers] of rows)
    for (const shown of codeSpansOf(stores)) {
      const url = new Secret(
        (examples as Record<string, string>)[shown] ?? `${shown.replace(/\W*$/, '')}://127.0.0.1:1`,
      );
      // a runtime's own store opens on it alone: here another stands for it
      const on = [NODE, DENO, BUN].map(({ name, stores: own }) => {
        const stores = Object.fromEntries(
          Object.keys(own).map((scheme) => [scheme, () => Promise.resolve(openMemory())]),
        );
        return knows(() => openStorage({ name, stores }, url));
      });
      const known = await Promise.all([...on, knows(() => openWorkersStorage(url, {}))]);
      expect([shown, ...known]).toEqual([shown, node, deno, bun, workers]);
    }
});
