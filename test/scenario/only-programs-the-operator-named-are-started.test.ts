import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import type { Platform } from '../../src/platform.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { NODE_ALLOWED, stdioFields } from '../support/stdio-upstream.ts';
import { refusalOf } from '../support/refused-registration.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();

async function start(
  settings: Readonly<Record<string, string>> = NODE_ALLOWED,
  wrapPlatform: (platform: Platform) => Platform = (platform) => platform,
): Promise<TestGateway> {
  const gateway = await startGateway({ settings, wrapPlatform });
  closing.push(() => gateway.close());
  return gateway;
}

test('no program is started that the operator did not name, by an administrator neither', async () => {
  const closed = await start({});
  for (const query of ['', '?connect=false']) {
    const refusal = await refusalOf(closed, stdioFields(), query);
    expect(refusal).toMatchObject({ status: 422, code: 'command_not_allowed' });
    expect(refusal.hint).toContain('POSTERN_STDIO_COMMANDS');
  }
  const open = await start(NODE_ALLOWED);
  for (const command of ['/bin/sh', 'node', 'sh', `${process.execPath}/../node`, `${process.execPath} `])
    expect(await refusalOf(open, { ...stdioFields(), command })).toMatchObject({ code: 'command_not_allowed' });
  for (const command of ['./node', 'bin/node', '..'])
    expect(await refusalOf(open, { ...stdioFields(), command })).toMatchObject({ status: 422, code: 'config_invalid' });
  expect([closed, open].map((gateway) => gateway.countOf('process.started'))).toEqual([0, 0]);
});

test('an update cannot lead to another program, nor can a stored record after the setting changed', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const settings = { ...NODE_ALLOWED, POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` };
  const keys = makeKeys();
  const first = await startGateway({ settings, keys });
  await first.register({ name: 'local', ...stdioFields() });
  const changed = await first.api('PUT', '/v1/gateways/local', { command: '/bin/sh', args: ['-c', 'true'] });
  expect(await changed.json()).toMatchObject({ status: 422, code: 'command_not_allowed' });
  await first.close();

  const second = await startGateway({ settings: { ...settings, POSTERN_STDIO_COMMANDS: '/bin/other' }, keys });
  closing.push(() => second.close());
  const view = (await (await second.api('GET', '/v1/gateways/local')).json()) as object;
  expect(view).toMatchObject({
    status: 'refused',
    lastError: expect.stringContaining('command_not_allowed') as string,
  });
  expect(second.countOf('process.started')).toBe(0);
});

test('what cannot be started is told apart', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('plain'), 'text');
  await writeFile(at('orphan'), '#!/nowhere/interpreter\n');
  await chmod(at('orphan'), 0o755);
  const commands = [at('missing'), at('plain'), at('orphan'), folder.path, 'no-such-program-anywhere'];
  const gateway = await start({ POSTERN_STDIO_COMMANDS: [...commands, process.execPath].join() });
  const outcomes = [];
  for (const command of commands) outcomes.push((await refusalOf(gateway, { transport: 'STDIO', command })).code);
  expect(outcomes).toEqual([
    'command_not_found',
    'command_not_executable',
    'command_not_found',
    'command_not_executable',
    'command_not_found',
  ]);
  const nowhere = await refusalOf(gateway, { ...stdioFields(), cwd: at('missing') });
  expect(nowhere).toMatchObject({ status: 422, code: 'config_invalid' });
});

test('a runtime that starts no programs says so', async () => {
  const gateway = await start(NODE_ALLOWED, (platform) => ({ ...platform, spawn: undefined }));
  expect(await refusalOf(gateway, stdioFields())).toMatchObject({ status: 422, code: 'capability_unsupported' });
});

test('what belongs to an address is refused, and one kind forgets what the other had', async () => {
  const gateway = await start();
  const foreign = [
    { url: 'http://127.0.0.1:1/mcp' },
    { verify: false },
    { ca_certificate: '/x.pem' },
    { auth_type: 'bearer', auth_token: 't' },
    { passthrough_headers: ['x-a'] },
  ];
  for (const fields of foreign)
    expect(await refusalOf(gateway, { ...stdioFields(), ...fields })).toMatchObject({ code: 'config_invalid' });
  const mixed = await refusalOf(gateway, { url: 'http://127.0.0.1:1/mcp', transport: 'SSE', command: 'npx' });
  expect(mixed.message).toContain('command');
  await gateway.api('POST', '/v1/gateways?connect=false', { name: 'local', url: 'http://127.0.0.1:1/mcp' });
  const view = await (await gateway.api('PUT', '/v1/gateways/local', stdioFields('legacy'))).json();
  expect(view).toMatchObject({ url: null, transport: 'STDIO', reachable: true });
  const back = await gateway.api('PUT', '/v1/gateways/local', { transport: 'AUTO' });
  expect(await back.json()).toMatchObject({ code: 'config_invalid', message: 'a server behind a URL needs a url' });
});
