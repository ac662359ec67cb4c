import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certsCommand } from '../../../adapters/node-compat/cli/certs/certs.ts';
import { isDnsName, isIpAddress } from '../../../adapters/node-compat/cli/certs/names.ts';
import { openCertsWorkspace, type CertsWorkspace } from '../../support/certs-command.ts';

const EC = '--key-type ec-p256';
let workspace: CertsWorkspace;

beforeEach(async () => {
  workspace = await openCertsWorkspace();
});

afterEach(() => workspace.remove());

test.each([
  ['builder', 'builder', 'O=Postern\nOU=Clients\nCN=builder', undefined],
  ['ops@example.org', 'ops@example.org', 'O=Postern\nOU=Clients\nCN=ops@example.org', 'email:ops@example.org'],
  ['spiffe://example.org/ns/a', 'spiffe_example.org_ns_a', 'O=Postern\nOU=Clients', 'URI:spiffe://example.org/ns/a'],
])('client %s: makes a certificate that carries the name, and a bundle', async (name, folder, subject, names) => {
  expect((await workspace.run(`client ${name} ${EC}`)).code).toBe(0);
  const read = (file: string) => readFile(workspace.path('certs/mcp/clients', folder, file), 'utf8');
  const certificate = new X509Certificate(await read('client.crt'));
  expect([certificate.subject, certificate.subjectAltName]).toEqual([subject, names]);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(await read('client.pem')).toBe((await read('client.crt')) + (await read('client.key')));
  expect(await read('ca.crt')).toBe(await readFile(workspace.path('certs/mcp/ca/ca.crt'), 'utf8'));
  const tree = await workspace.tree();
  expect(tree[`certs/mcp/clients/${folder}/`]).toBe('700');
  expect(tree[`certs/mcp/clients/${folder}/client.pem`]).toBe('600');
});

test('client: keeps two callers apart whose names share a folder', async () => {
  await workspace.run(`client spiffe://a/b/c ${EC}`);
  expect((await workspace.run(`client spiffe://a/b/c ${EC}`)).code).toBe(0);
  expect(await workspace.run(`client spiffe://a/b_c ${EC}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('holds the certificate of spiffe://a/b/c, not of spiffe://a/b_c'),
  });
});

test.each([
  '..',
  '.hidden',
  '../../etc/x',
  'a/b',
  'a\\b',
  '/etc/x',
  'x\0y',
  'x\ny',
  'a,CN=admin',
  'ends.',
  'é',
  'x'.repeat(65),
  'spiffe://',
  'spiffe://a/../b',
  'spiffe://a/./b',
  'spiffe://A/b',
  'spiffe://a/b?c',
  'spiffe://a//b',
  'spiffe://a/b/',
  '@x',
  'a@',
  'a/b@c',
])('refuses the name %j and makes nothing', async (name) => {
  for (const command of ['server', 'client']) {
    const refusals: string[] = [];
    const io = { out: () => {}, err: (line: string) => refusals.push(line), env: {}, cwd: workspace.directory };
    expect(await certsCommand([command, name], io)).toBe(2);
    expect(refusals[0]).toMatch(/cannot name a (server|client)/);
  }
  expect(await workspace.tree()).toEqual({});
});

test('a server name has to make a DNS name', async () => {
  for (const name of ['a..b', 'x'.repeat(53), 'ops@example.org'])
    expect(await workspace.run(`server ${name}`)).toMatchObject({ code: 2, out: '' });
});

test('tells DNS names and IP addresses', () => {
  expect(['a', 'a.b', '*.a.b', '_x.y', 'a_b', 'A1'].every(isDnsName)).toBe(true);
  expect(['', '.', 'a.', '-a', 'a..b', 'a b', 'a/b', 'a.*.b', 'x'.repeat(300)].some(isDnsName)).toBe(false);
  expect(['127.0.0.1', '::1', 'fe80::1'].every(isIpAddress)).toBe(true);
  expect(['', '127.0.0', '999.1.1.1', 'fe80::1%eth0', 'localhost'].some(isIpAddress)).toBe(false);
});

test.each([
  ['', /expected a command/],
  ['nonsense', /unknown command nonsense/],
  ['server', /server needs a NAME/],
  ['ca name', /ca was given too many names/],
  ['client a b', /client was given too many names/],
  ['ca --nonsense', /--nonsense/],
  ['ca --days 0', /--days takes whole days from 1 to 36500, not 0/],
  ['ca --days 1.5', /--days/],
  ['ca --days 99999', /--days/],
  ['ca --key-type rsa1024', /--key-type takes rsa2048, .*ed25519, not rsa1024/],
  ['server x --dns a..b', /--dns takes a DNS name/],
  ['server x --ip 1.2.3', /--ip takes an IP address/],
  ['gateway --dns a', /--dns means nothing to gateway/],
  ['check --days 3', /--days means nothing to check/],
  ['check --warn-days -1', /--warn-days/],
])('refuses the command line `%s` with 2', async (args, message) => {
  expect(await workspace.run(args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  expect(await workspace.tree()).toEqual({});
});

test('refuses a nonsensical MCP_CERT_DAYS by its name', async () => {
  expect(await workspace.run('ca', { MCP_CERT_DAYS: 'soon' })).toMatchObject({
    code: 2,
    err: expect.stringContaining('MCP_CERT_DAYS takes whole days'),
  });
});

test('prints help', async () => {
  for (const args of ['--help', 'server -h'])
    expect(await workspace.run(args)).toMatchObject({ code: 0, out: expect.stringContaining('Usage: postern certs') });
});
