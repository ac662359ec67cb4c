import { beforeEach, expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const closing = closeAfterEach();
let cwd: string;
beforeEach(async () => {
  const folder = await makeTempFolder();
  cwd = folder.path;
  closing.push(folder.remove);
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runPostern(args, { cwd });
  if (code !== 0) throw new Error(stderr);
  return stdout.trimEnd();
};

test('a gateway that runs reads what `postern vault rotate` sealed, when asked and at SIGHUP', async () => {
  const upstream = await startMcpUpstream();
  closing.push(() => upstream.close());
  const postern = await servePostern([], { cwd });
  closing.push(() => postern.kill());
  const authorization = `Bearer ${await run('token', '--sub', 'ann', '--role', 'admin')}`;
  const api = async (method: string, path: string, body?: object) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(postern.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    return (await response.json()) as Record<string, unknown>;
  };
  await api('POST', '/v1/gateways', { name: 'up', url: upstream.url, auth_type: 'bearer', auth_token: 't' });

  await run('vault', 'rotate');
  const changed = await api('PUT', '/v1/gateways/up', { description: 'read with the new key' });
  expect(changed).toMatchObject({ status: 'active', description: 'read with the new key' });

  await run('vault', 'rotate');
  await run('gateways', 'update', 'up', '--description', 'sealed by another process');
  postern.signal('SIGHUP');
  const read = () => api('GET', '/v1/gateways/up');
  await expect.poll(read).toMatchObject({ status: 'active', description: 'sealed by another process' });
  expect(postern.stderr()).not.toContain('record.refused');
});
