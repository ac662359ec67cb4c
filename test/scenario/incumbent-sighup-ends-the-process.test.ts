/** Certificate rotation as operators do it by hand: files swapped on disk, `kill -HUP`, while callers go on calling. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream } from '../support/mcp-upstream.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import type { ServingPostern } from '../support/postern.ts';
import { openShell } from '../support/shell.ts';
import type { Shell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';
import { startTicker, tickOverSse, tickOverWebSocket } from '../support/ticking.ts';

let folder: TempFolder;
let shell: Shell;
let upstream: McpUpstream;
let postern: ServingPostern;
const ticker = startTicker();
let source: Parameters<typeof tickOverSse>[0];

beforeAll(async () => {
  folder = await makeTempFolder();
  shell = openShell(folder.path);
  await shell.run(`
    openssl req -x509 -newkey rsa:4096 -keyout ca.key -out ca.crt -days 365 -nodes -subj "/CN=Test CA"
    openssl genrsa -out server.key 2048
    openssl req -new -key server.key -out server.csr -subj "/CN=localhost"
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 365`);
  upstream = await startMcpUpstream({ ownTools: { tick: ticker.tool } });
  const { path: cwd } = folder;
  postern = await servePostern(['--tls-cert', 'server.crt', '--tls-key', 'server.key'], { cwd });
  const ca = await readFile(join(cwd, 'ca.crt'), 'utf8');
  const token = (await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd })).stdout.trim();
  const env = { POSTERN_URL: postern.url, POSTERN_TOKEN: token, NODE_EXTRA_CA_CERTS: join(cwd, 'ca.crt') };
  expect(await runPostern(['gateways', 'add', 'up', upstream.url], { cwd, env })).toMatchObject({ code: 0 });
  source = { url: postern.url, token, ca, tool: 'up_tick' };
});
afterAll(async () => {
  await postern?.kill();
  await upstream?.close();
  await folder?.remove();
});

/** The loop of the issue, every 50 ms; each line is a status and OK, or FAIL. */
function startMonitor() {
  const script = `while true; do
    curl -s -o /dev/null -w "%{http_code}\\n" --cacert ca.crt ${postern.health} && echo OK || echo FAIL
    sleep 0.05
  done`;
  const child = spawn('bash', ['-c', script], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const lines = () => printed.split('\n').slice(0, -1);
  return {
    lines,
    more: async (count: number) => {
      const wanted = lines().length + 2 * count;
      while (lines().length < wanted) await once(child.stdout, 'data');
    },
    stop: async () => {
      child.kill();
      await once(child, 'close');
    },
  };
}

/** Serial number of the certificate a new connection is shown. */
async function presented(): Promise<string | undefined> {
  const socket = connect({
    port: Number(new URL(postern.url).port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: source.ca,
  });
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber;
  socket.destroy();
  return serial;
}

const serialOf = async (file: string) =>
  (await shell.run(`openssl x509 -in ${file} -noout -serial`)).trim().split('=')[1];

test('NET-02: the monitor shows OK without interruption, and no session is lost', async () => {
  expect(postern.url).toMatch(/^https:\/\/localhost:/);
  const monitor = startMonitor();
  const streams = [await tickOverSse(source), await tickOverWebSocket(source)];
  await monitor.more(5);
  expect(await presented()).toBe(await serialOf('server.crt'));

  await shell.run(`
    openssl genrsa -out server-new.key 2048
    openssl req -new -key server-new.key -out server-new.csr -subj "/CN=localhost"
    openssl x509 -req -in server-new.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server-new.crt -days 365
    cp server-new.crt server.crt
    cp server-new.key server.key`);
  await shell.run('kill -HUP $(cat data/postern.pid)');
  await postern.logged('listener.reloaded');
  expect(await presented()).toBe(await serialOf('server-new.crt'));

  await Promise.all([monitor.more(10), ...streams.map((stream) => stream.more(20))]);
  await monitor.stop();
  const lines = monitor.lines();
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.filter((line) => line !== '200' && line !== 'OK')).toEqual([]);

  ticker.finish();
  for (const { ended, ticks } of streams) {
    const last = Number(await ended);
    expect(ticks).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  }
});
