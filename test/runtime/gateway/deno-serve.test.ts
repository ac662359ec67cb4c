/** Postern where the platform listens: `deno serve`, as Deno Deploy runs it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectClient, postMessage, textOf } from '../../support/mcp-client.ts';
import { runPostern } from '../../support/postern.ts';
import { CLIENT, startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { RUNTIMES } from '../programs.ts';

const JWT_SECRET_KEY = 'a secret of the tests, long enough';
let folder: TempFolder;
let strict: StrictUpstream;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await makeTempFolder();
  strict = await startStrictUpstream();
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.kill('SIGKILL')) await once(child, 'exit');
  }
  await strict.upstream.close();
  await folder.remove();
});

/** `deno serve` with only what a gateway without files needs; its address, and what it logs. */
async function serve(environment: Readonly<Record<string, string>>) {
  const entry = new URL('../../../adapters/deno/serve.ts', import.meta.url).pathname;
  const permissions = ['--allow-net', '--allow-env', '--allow-read', '--allow-sys'];
  const child = spawn(RUNTIMES.deno, ['serve', ...permissions, '--host', '127.0.0.1', '--port', '0', entry], {
    env: { NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.push(child);
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /Listening on (http:\S+?)\/?$/.exec(line)?.[1];
    if (url !== undefined) return { url, printed: text(child.stderr) };
  }
  throw new Error('deno serve did not listen');
}

/** With the strict server registered; a token for it. */
async function serveStrict() {
  const cwd = folder.path;
  const { stdout } = await runPostern(['vault', 'key'], { cwd });
  const [, keys = ''] = /^POSTERN_VAULT_KEYS=(.*)$/m.exec(stdout) ?? [];
  const { url } = await serve({ POSTERN_STORAGE: 'memory:', POSTERN_VAULT_KEYS: keys, JWT_SECRET_KEY });
  const token = (
    await runPostern(['token', '--sub', 'ann', '--role', 'admin'], { cwd, env: { JWT_SECRET_KEY } })
  ).stdout.trim();
  const answer = await fetch(`${url}/v1/gateways`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(strict.fields),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return { url, token };
}

test('a gateway without a listener of its own calls a strict server', async () => {
  const { url, token } = await serveStrict();
  const mcp = await connectClient(`${url}/mcp`, token, 'legacy');
  expect(textOf(await mcp.callTool({ name: 'up_echo', arguments: { text: 'hello' } }))).toContain('hello');
  await mcp.close();
  expect(strict.upstream.requestsOf('tools/call').at(-1)?.clientSubject).toBe(CLIENT);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets a call finish, and then nothing keeps the process',
  async (signal) => {
    const { url, token } = await serveStrict();
    const params = { name: 'up_hold', arguments: {} };
    const answer = postMessage(`${url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    await strict.upstream.untilHeld(1);
    const [child] = started;
    if (child === undefined) throw new Error('nothing was started');
    const exited = once(child, 'exit');
    child.kill(signal);
    await until(() =>
      fetch(`${url}/ready`).then(
        () => false,
        () => true,
      ),
    );
    strict.upstream.release();
    expect(await (await answer).text()).toContain('released');
    expect(await exited).toEqual([0, null]);
  },
);

test('without keys and a store it serves nothing, and its log says what to set', async () => {
  const { url, printed } = await serve({ JWT_SECRET_KEY });
  const answer = await fetch(`${url}/health`);
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'config_invalid' }]);
  started[0]?.kill('SIGKILL');
  expect(await printed).toMatch(
    /"event":"task.failed".*expected POSTERN_STORAGE, POSTERN_VAULT_KEYS in the environment/,
  );
});

test.each([
  ['open to everyone', { AUTH_REQUIRED: 'false' }, 'config_invalid', 'AUTH_REQUIRED'],
  [
    'open to everyone on an address that is not its own',
    { AUTH_REQUIRED: 'false', HOST: '127.0.0.1' },
    'config_invalid',
    'AUTH_REQUIRED',
  ],
  ['with a key anybody guesses', { JWT_SECRET_KEY: 'guess me' }, 'config_invalid', 'JWT_SECRET_KEY'],
  [
    'asking for certificates nobody is asked for',
    { CERT_REQS: 'required', CERT_FILE: 'server.pem', CA_CERTS: 'ca.pem' },
    'capability_unsupported',
    'requestCertificate',
  ],
  ['told to start programs', { POSTERN_STDIO_COMMANDS: 'cat' }, 'capability_unsupported', 'programs'],
  ['told to read files', { POSTERN_CERT_DIRS: '.', POSTERN_CONFIG: 'x' }, 'capability_unsupported', 'POSTERN_CONFIG'],
])('it does not start %s', async (_, settings, code, told) => {
  const { stdout } = await runPostern(['vault', 'key'], { cwd: folder.path });
  const [, keys = ''] = /^POSTERN_VAULT_KEYS=(.*)$/m.exec(stdout) ?? [];
  const { url, printed } = await serve({
    POSTERN_STORAGE: 'memory:',
    POSTERN_VAULT_KEYS: keys,
    JWT_SECRET_KEY,
    ...settings,
  });
  const answer = await fetch(`${url}/v1/gateways`);
  expect([answer.status, await answer.json()]).toMatchObject([503, { code }]);
  started[0]?.kill('SIGKILL');
  expect(await printed).toContain(told);
});
