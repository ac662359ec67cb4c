import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCertsWorkspace, type CertsWorkspace } from '../../support/certs-command.ts';
import { mintPki, type MintedCa } from '../../support/pki.ts';

const DAY_MS = 86_400_000;
let workspace: CertsWorkspace;
let ca: MintedCa;

beforeEach(async () => {
  workspace = await openCertsWorkspace();
  ca = await (await mintPki()).ca('Root', { notAfter: inDays(400) });
  await write('ca/ca.crt', ca.pem);
  await write('gateway/ca.crt', ca.pem);
});

afterEach(() => workspace.remove());

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS + 3_600_000);

async function write(path: string, text: string): Promise<void> {
  const full = workspace.path('certs/mcp', path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
}

test('lists each certificate once with its days left, and exits 0 when all is well', async () => {
  const leaf = await ca.issue({ cn: 'gw', notAfter: new Date('2126-01-02T03:04:05Z') });
  await write('gateway/client.crt', leaf.certPem);
  const { code, out, err } = await workspace.run('check');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^certs\/mcp\/ca\/ca\.crt +expires \S+Z {2}400 days left {2}CN=Root$/);
  expect(lines[1]).toMatch(
    /^certs\/mcp\/gateway\/client\.crt +expires 2126-01-02T03:04:05\.000Z {2}\d+ days left {2}CN=gw$/,
  );
  expect(lines[2]).toBe('all 2 certificates are valid for more than 30 days');
});

test('exits 1 within the warning window, which is the caller to choose', async () => {
  await write('gateway/client.crt', (await ca.issue({ cn: 'gw', notAfter: inDays(20) })).certPem);
  const soon = await workspace.run('check');
  expect(soon.code).toBe(1);
  expect(soon.out).toMatch(/EXPIRES SOON, 20 days left {2}CN=gw\n1 of 2 certificates need attention/);
  expect((await workspace.run('check --warn-days 20')).code).toBe(0);
  expect((await workspace.run('check --warn-days 21')).code).toBe(1);
  expect((await workspace.run('check --warn-days 0')).code).toBe(0);
});

test('exits 1 for an expired, a not yet valid, an unreadable and a foreign CA certificate', async () => {
  await write('plugins/a/server.crt', (await ca.issue({ cn: 'a', notAfter: new Date(Date.now() - 1000) })).certPem);
  await write(
    'plugins/b/server.crt',
    (await ca.issue({ cn: 'b', notBefore: inDays(1), notAfter: inDays(90) })).certPem,
  );
  await write('plugins/c/server.crt', 'nonsense');
  await mkdir(workspace.path('certs/mcp/plugins/d/server.crt'), { recursive: true });
  const other = await (await mintPki()).ca('Other', { notAfter: inDays(3) });
  await write('plugins/e/ca.crt', other.pem);
  const { code, out } = await workspace.run('check --json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    warnDays: 30,
    certificates: [
      { path: workspace.path('certs/mcp/ca/ca.crt'), state: 'valid', daysLeft: 400, subject: 'CN=Root', isCa: true },
      { state: 'expired', daysLeft: -1 },
      { state: 'not_yet_valid', subject: 'CN=b' },
      { state: 'unreadable', error: { code: 'certificate_unreadable', message: expect.stringContaining('PEM') } },
      { state: 'unreadable', error: { code: 'file_refused' } },
      { path: workspace.path('certs/mcp/plugins/e/ca.crt'), state: 'expiring', subject: 'CN=Other' },
    ],
  });
  const text = await workspace.run('check');
  expect(text.out).toMatch(/EXPIRED {2}CN=a\n.*NOT YET VALID, from .*\n.*UNREADABLE: /);
});

test('looks at every certificate of a chain file', async () => {
  const intermediate = await ca.intermediate('Inter', { notAfter: inDays(5) });
  const leaf = await intermediate.issue({ cn: 'leaf', notAfter: inDays(100) });
  await write('gateway/client.crt', leaf.chainPem);
  const { code, out } = await workspace.run('check');
  expect(code).toBe(1);
  expect(out).toMatch(/5 days left {2}CN=Inter/);
});

test('exits 1 when there is nothing to check', async () => {
  for (const directory of ['nowhere', 'certs/mcp/empty']) {
    await mkdir(workspace.path('certs/mcp/empty'), { recursive: true });
    expect(await workspace.run(`check --dir ${directory}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('no certificate'),
    });
  }
});

test('checks what the command itself makes', async () => {
  await workspace.run('all --dir made --key-type ed25519');
  expect((await workspace.run('check --dir made')).code).toBe(0);
  expect((await workspace.run('check --dir made --warn-days 826')).code).toBe(1);
});
