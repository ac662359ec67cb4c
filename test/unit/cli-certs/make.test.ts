import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCertsWorkspace, type CertsWorkspace } from '../../support/certs-command.ts';

const EC = '--key-type ec-p256';
const DAY_MS = 86_400_000;
let workspace: CertsWorkspace;

beforeEach(async () => {
  workspace = await openCertsWorkspace();
});

afterEach(() => workspace.remove());

const certificate = async (path: string) => new X509Certificate(await readFile(workspace.path('certs/mcp', path)));
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: workspace.directory, encoding: 'utf8', stdio: 'pipe' });

async function writePluginConfig(text: string): Promise<void> {
  await mkdir(workspace.path('plugins/external'), { recursive: true });
  await writeFile(workspace.path('plugins/external/config.yaml'), text);
}

test('all: makes the layout of the guide with its modes, whatever the umask', async () => {
  await writePluginConfig('plugins:\n- {name: MyPlugin, kind: external}\n- {name: Other, kind: native}\n');
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask);
    try {
      expect(await workspace.run(`all --dir out-${umask} ${EC}`)).toMatchObject({ code: 0, err: '' });
    } finally {
      process.umask(before);
    }
    const tree = Object.entries(await workspace.tree()).filter(([path]) => path.startsWith(`out-${umask}/`));
    const open = umask === 0 ? '777' : '700';
    expect(Object.fromEntries(tree.map(([path, mode]) => [path.replace(`out-${umask}/`, ''), mode]))).toEqual({
      '': open,
      'ca/': '700',
      'ca/ca.crt': '644',
      'ca/ca.key': '600',
      'gateway/': '700',
      'gateway/ca.crt': '644',
      'gateway/client.crt': '644',
      'gateway/client.key': '600',
      'gateway/client.pem': '600',
      'plugins/': open,
      'plugins/MyPlugin/': '700',
      'plugins/MyPlugin/ca.crt': '644',
      'plugins/MyPlugin/server.crt': '644',
      'plugins/MyPlugin/server.key': '600',
    });
  }
});

test('all: writes the names, purposes and dates into the certificates', async () => {
  const startedAt = Date.now();
  expect((await workspace.run(`all ${EC}`)).code).toBe(0);
  const ca = await certificate('ca/ca.crt');
  const gateway = await certificate('gateway/client.crt');
  const server = await certificate('plugins/example-plugin-a/server.crt');
  expect(ca.subject).toBe('O=Postern\nOU=Plugins\nCN=Postern-CA');
  expect(gateway.subject).toBe('O=Postern\nOU=Gateway\nCN=mcp-gateway-client');
  expect(server.subject).toBe('O=Postern\nOU=Plugins\nCN=mcp-plugin-example-plugin-a');
  expect(server.subjectAltName).toBe(
    'DNS:example-plugin-a, DNS:mcp-plugin-example-plugin-a, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  expect([gateway.keyUsage, server.keyUsage]).toEqual([['1.3.6.1.5.5.7.3.2'], ['1.3.6.1.5.5.7.3.1']]);
  for (const one of [ca, gateway, server]) {
    expect(one.verify(ca.publicKey)).toBe(true);
    expect(Date.parse(one.validFrom)).toBeLessThan(startedAt);
    expect(Math.round((Date.parse(one.validTo) - startedAt) / DAY_MS)).toBe(825);
  }
  const copies = ['gateway/ca.crt', 'plugins/example-plugin-a/ca.crt', 'plugins/example-plugin-b/ca.crt'];
  for (const copy of copies) expect((await certificate(copy)).fingerprint256).toBe(ca.fingerprint256);
});

test('all: takes the plugins of kind external from the configuration, each once', async () => {
  const config =
    'plugins:\n- {name: A, kind: external}\n- {name: B, kind: x.y.Z}\n- {name: A, kind: external}\n- {name: c_1, kind: external}\n';
  await writeFile(workspace.path('mine.yaml'), config);
  expect((await workspace.run(`all ${EC}`, { MCP_PLUGIN_CONFIG: 'mine.yaml' })).code).toBe(0);
  const servers = Object.keys(await workspace.tree()).filter((path) => path.endsWith('server.crt'));
  expect(servers).toEqual(['certs/mcp/plugins/A/server.crt', 'certs/mcp/plugins/c_1/server.crt']);
});

test.each([
  ['plugins: [', /not valid YAML/, 1],
  ['plugins: 7', /is not a list/, 1],
  ['plugins: [{kind: external}]', /plugin 1 in .* has no name/, 1],
  ['plugins: [{kind: external, name: ../../evil}]', /cannot name a server/, 2],
])('all: makes nothing from a configuration like %s', async (text, message, code) => {
  await writePluginConfig(text);
  const run = await workspace.run(`all ${EC}`);
  expect(run).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
  expect(Object.keys(await workspace.tree()).filter((path) => path.startsWith('certs'))).toEqual([]);
});

test('all: says so when there is no configuration, or nothing in it', async () => {
  expect((await workspace.run(`all ${EC}`)).err).toMatch(/there is no .*config\.yaml: .* two example plugins/);
  await writePluginConfig('plugins:\n');
  expect((await workspace.run(`all --dir other ${EC}`)).err).toMatch(/names no plugin of kind: external/);
});

test('never overwrites: says what it kept, and exits 0', async () => {
  await workspace.run(`all ${EC}`);
  const files = Object.keys(await workspace.tree()).filter((path) => !path.endsWith('/'));
  const contents = () => Promise.all(files.map((path) => readFile(workspace.path(path), 'utf8')));
  const before = await contents();
  for (const command of ['ca', 'gateway', 'server example-plugin-a', 'all']) {
    const { code, out } = await workspace.run(`${command} ${EC} --days 1`);
    expect(code).toBe(0);
    expect(out).toMatch(/^kept {5}certs\/mcp\/ca {2}already exists/);
    expect(out).not.toMatch(/created|ANOTHER CA/);
  }
  expect(await contents()).toEqual(before);
});

test('warns about what an earlier authority issued', async () => {
  await workspace.run(`all ${EC}`);
  await rm(workspace.path('certs/mcp/ca'), { recursive: true });
  const { code, out } = await workspace.run(`gateway ${EC} --json`);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    certificates: [
      { outcome: 'created', isForeign: false },
      { outcome: 'kept', isForeign: true, files: [] },
    ],
  });
});

test('refuses half a pair, and to write beside a file that is in the way', async () => {
  await workspace.run(`gateway ${EC}`);
  await rename(workspace.path('certs/mcp/gateway/client.crt'), workspace.path('elsewhere.crt'));
  expect(await workspace.run(`gateway ${EC}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('holds client.key but no client.crt'),
  });
  await mkdir(workspace.path('certs/mcp/plugins/P'), { recursive: true });
  await writeFile(workspace.path('certs/mcp/plugins/P/ca.crt'), 'mine');
  expect(await workspace.run(`server P ${EC}`)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/EEXIST .*P\/ca\.crt/),
  });
  const left = Object.keys(await workspace.tree()).filter((path) => path.includes('plugins/P/'));
  expect(left).toEqual(['certs/mcp/plugins/P/', 'certs/mcp/plugins/P/ca.crt']);
  expect(await readFile(workspace.path('certs/mcp/plugins/P/ca.crt'), 'utf8')).toBe('mine');
});

test('validity comes from --days, else MCP_CERT_DAYS, and ends with the authority', async () => {
  await workspace.run(`ca ${EC} --days 100`);
  await workspace.run(`gateway ${EC} --days 7`, { MCP_CERT_DAYS: '50' });
  await workspace.run(`server short ${EC}`, { MCP_CERT_DAYS: '50' });
  await workspace.run(`server long ${EC}`);
  const days = async (path: string) =>
    Math.round((Date.parse((await certificate(path)).validTo) - Date.now()) / DAY_MS);
  expect(await days('gateway/client.crt')).toBe(7);
  expect(await days('plugins/short/server.crt')).toBe(50);
  expect((await certificate('plugins/long/server.crt')).validTo).toBe((await certificate('ca/ca.crt')).validTo);
});

test('makes RSA 4096 keys by default', async () => {
  await workspace.run('ca');
  expect((await certificate('ca/ca.crt')).publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 4096 });
});

test.each([
  ['rsa2048', 'rsa', { modulusLength: 2048 }],
  ['rsa3072', 'rsa', { modulusLength: 3072 }],
  ['ec-p256', 'ec', { namedCurve: 'prime256v1' }],
  ['ec-p384', 'ec', { namedCurve: 'secp384r1' }],
  ['ed25519', 'ed25519', {}],
])('makes %s keys that openssl and node accept', async (type, kind, details) => {
  expect((await workspace.run(`server x --key-type ${type}`)).code).toBe(0);
  const server = await certificate('plugins/x/server.crt');
  const key = createPrivateKey(await readFile(workspace.path('certs/mcp/plugins/x/server.key')));
  expect(key.asymmetricKeyType).toBe(kind);
  expect(server.publicKey.asymmetricKeyDetails).toMatchObject(details);
  expect(server.checkPrivateKey(key)).toBe(true);
  const verified = openssl(
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    '-CAfile',
    'certs/mcp/ca/ca.crt',
    'certs/mcp/plugins/x/server.crt',
  );
  expect(verified).toContain('OK');
});

test('server: adds names and addresses', async () => {
  await workspace.run(`server x ${EC} --dns a.example.org --dns *.b.org --dns localhost --ip 10.0.0.7 --ip fe80::1`);
  expect((await certificate('plugins/x/server.crt')).subjectAltName).toBe(
    'DNS:x, DNS:mcp-plugin-x, DNS:localhost, DNS:a.example.org, DNS:*.b.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.7, IP Address:FE80:0:0:0:0:0:0:1',
  );
});

test('issues with an authority other tools made, key in PKCS#1', async () => {
  await mkdir(workspace.path('certs/mcp/ca'), { recursive: true });
  const subject = '/C=GB/CN=Company CA';
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'plain.key',
    '-out',
    'certs/mcp/ca/ca.crt',
    '-subj',
    subject,
  );
  openssl('rsa', '-in', 'plain.key', '-traditional', '-out', 'certs/mcp/ca/ca.key');
  expect(await readFile(workspace.path('certs/mcp/ca/ca.key'), 'utf8')).toContain('BEGIN RSA PRIVATE KEY');
  expect((await workspace.run(`gateway ${EC}`)).code).toBe(0);
  expect(openssl('verify', '-CAfile', 'certs/mcp/ca/ca.crt', 'certs/mcp/gateway/client.crt')).toContain('OK');
});

test('refuses an authority that cannot issue, and shows nothing of its key', async () => {
  await workspace.run(`ca ${EC}`);
  const key = workspace.path('certs/mcp/ca/ca.key');
  openssl('pkey', '-in', key, '-aes256', '-passout', 'pass:x', '-out', 'encrypted.key');
  await rename(workspace.path('encrypted.key'), key);
  expect(await workspace.run('gateway')).toMatchObject({ code: 1, err: expect.stringContaining('key_unreadable') });
  openssl('genpkey', '-algorithm', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
  const mismatch = await workspace.run('gateway --key-type ec-p256 --json');
  expect(JSON.parse(mismatch.err)).toMatchObject({ error: { code: 'key_mismatch' } });
});
