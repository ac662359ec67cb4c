/** What docs/runtimes.md shows is done as it stands there, on the runtimes it speaks of. */
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
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
