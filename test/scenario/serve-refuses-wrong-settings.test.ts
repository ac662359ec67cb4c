import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runPostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

let cwd: string;
let remove: () => Promise<void>;
beforeEach(async () => ({ path: cwd, remove } = await makeTempFolder()));
afterEach(() => remove());

const serve = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runPostern(['serve', '--port', '0', ...args], { cwd, env });

test.each([
  ['a misspelt variable', [], { POSTERN_DATADIR: 'x' }, 'the nearest is POSTERN_DATA_DIR'],
  ['a wrong port', [], { POSTERN_HEALTH_PORT: 'x' }, 'POSTERN_HEALTH_PORT: expected a whole number'],
  ['open access for all', ['--host', '0.0.0.0'], { AUTH_REQUIRED: 'false' }, 'must listen on loopback'],
  ['a password in a flag', ['--storage', 'redis://:hunter2@store'], {}, 'a password in a flag'],
  ['a shared store without keys', ['--storage', 'redis://store'], {}, 'POSTERN_VAULT_KEYS and JWT_SECRET_KEY'],
  ['bad vault keys', [], { POSTERN_VAULT_KEYS: 'hunter2' }, 'vault key 1: expected'],
  ['caller certificates without TLS', ['--client-auth', 'required'], {}, 'CERT_REQS: required needs TLS'],
  ['a missing settings file', ['--config', 'nowhere.yaml'], {}, 'there is no such file'],
] as const)('%s: exit 1, one message, nothing made', async (_, args, env, message) => {
  const { code, stdout, stderr } = await serve(args, env);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('hunter2');
  expect(await readdir(cwd)).toEqual([]);
});

test('an unknown flag or command: exit 2 and the nearest known one', async () => {
  expect(await serve(['--log-levle', 'info'])).toMatchObject({ code: 2, stdout: '' });
  expect((await serve(['--log-levle', 'info'])).stderr).toContain('the nearest is --log-level');
  for (const name of ['sreve', 'doctor', 'plugins'])
    expect((await runPostern([name], { cwd })).stderr).toContain(`unknown command ${name}`);
  expect(await readdir(cwd)).toEqual([]);
});

test('a settings file is read, its mistakes are named, its secrets are not shown', async () => {
  await writeFile(join(cwd, 'postern.yaml'), 'log_levle: info\n');
  expect((await serve([])).stderr).toContain('log_levle: no such key; the nearest is log_level');
  await writeFile(join(cwd, 'postern.yaml'), 'jwt_secret_key: "hunter2\n');
  const broken = await serve([]);
  expect(broken.stderr).toContain('is not YAML');
  expect(broken.stderr).not.toContain('hunter2');
});

test('a key file that others may read is refused', async () => {
  await runPostern(['gateways', 'list'], { cwd });
  for (const file of ['signing.key', 'vault.key']) {
    await chmod(join(cwd, 'data', file), 0o644);
    const { code, stderr } = await serve([]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`chmod 600 data/${file}`)]);
    await chmod(join(cwd, 'data', file), 0o600);
  }
});

test('a port that is taken is said, and ends the process', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const ran = await runPostern(['serve', '--port', String(port)], { cwd });
  taken.close();
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toContain('another process listens there');
});
