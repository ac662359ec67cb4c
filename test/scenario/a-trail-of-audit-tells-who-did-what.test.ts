/** Calls, refusals, changes and a rotation over a TLS listener, as the trail tells them; and what it tells of tampering. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyIn } from '../support/audit-command.ts';
import { askHttps } from '../support/ask-https.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCertificate } from '../support/pki.ts';
import { runPostern } from '../support/postern.ts';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

type Line = Readonly<Record<string, unknown>>;

const CANARIES = { argument: 'canary-argument-1', token: 'canary-token-2', query: 'canary-query-3' };
const MCP = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const ECHO = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'up_echo', arguments: { text: CANARIES.argument } },
});

let gateway: TlsPostern;
let agent: MintedCertificate;
let lines: Line[] = [];
let trail = '';

const read = (): Promise<string> => readFile(join(gateway.folder.path, 'audit.ndjson'), 'utf8');
const of = (event: string): Line[] => lines.filter((line) => line['event'] === event);
const ask = (path: string, caller: MintedCertificate | undefined, body: string | undefined, headers: object = {}) =>
  askHttps(gateway.source.url + path, { ...gateway.tls(caller), headers: { ...MCP, ...headers }, body });

beforeAll(async () => {
  const ca = await (await mintPki()).ca('Callers');
  agent = await ca.issue({ cn: 'agent', uris: ['spiffe://example.org/agent'], eku: 'client' });
  const stranger = await (await (await mintPki()).ca('Strangers')).issue({ cn: 'stranger', eku: 'client' });
  gateway = await startTlsPostern({
    env: { CA_CERTS: 'callers.pem', CERT_REQS: 'optional', POSTERN_AUDIT: 'file:audit.ndjson' },
    files: { 'callers.pem': ca.pem },
  });
  const authorization = `Bearer ${gateway.token}`;
  await ask(`/mcp?key=${CANARIES.query}`, agent, ECHO);
  await ask('/mcp', undefined, ECHO, { authorization });
  await ask('/servers/up/mcp', undefined, ECHO, { authorization: `Bearer ${CANARIES.token}` });
  await ask('/v1/gateways', agent, undefined);
  await expect(ask('/mcp', stranger, ECHO)).rejects.toThrow();
  await ask('/mcp', agent, ECHO.replace('up_echo', 'nobody'));
  await ask('/v1/servers', undefined, JSON.stringify({ name: 'Desk', members: [{ gateway: 'up' }] }), {
    authorization,
  });
  await ask('/v1/servers/none/state?activate=true', undefined, '{}', { authorization });
  await gateway.write('both.pem', (await gateway.issue('second')).bundlePem);
  gateway.process.signal('SIGHUP');
  await gateway.process.logged('listener.reloaded');
  gateway.process.signal('SIGTERM');
  await gateway.process.exited;
  trail = await read();
  lines = trail
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
});
afterAll(() => gateway?.close());

test('each call is told with its caller, the certificate it showed, and how it ended', () => {
  const { facts } = agent.certificate;
  const certificate = { subject: 'CN=agent', issuer: 'CN=Callers', sha256: facts.sha256 };
  const byCertificate = { subject: 'spiffe://example.org/agent', role: 'user', method: 'certificate', certificate };
  const call = { upstream: 'up', method: 'tools/call', name: 'up_echo', durationMs: expect.any(Number) as number };
  expect(of('mcp.answered')).toMatchObject([
    { caller: byCertificate, path: '/mcp', ...call, outcome: 'ok' },
    { caller: { subject: 'ann', role: 'admin', method: 'token' }, path: '/mcp', ...call, outcome: 'ok' },
    { caller: byCertificate, method: 'tools/call', name: 'nobody', outcome: 'not_found' },
  ]);
  expect(of('mcp.answered')[1]?.['caller']).not.toHaveProperty('certificate');
});

test('who is recognised and who is refused', () => {
  const recognised = of('caller.recognised').map(({ caller }) => (caller as Line)['subject']);
  expect(new Set(recognised)).toEqual(new Set(['ann', 'spiffe://example.org/agent']));
  expect(of('caller.refused')).toMatchObject([{ code: 'unauthenticated', address: '127.0.0.1' }]);
  expect(of('request.refused')).toMatchObject([
    { code: 'forbidden', path: '/v1/gateways', caller: { subject: 'spiffe://example.org/agent' } },
  ]);
});

test('handshakes, with the name and the reason', () => {
  expect(of('listener.refused')).toMatchObject([
    { subject: 'CN=stranger', reason: 'certificate_untrusted', address: '127.0.0.1' },
  ]);
  expect(of('listener.handshake')).toContainEqual(
    expect.objectContaining({ subject: 'CN=agent', protocol: 'TLSv1.3' }),
  );
});

test('what administrators changed, and the rotation', () => {
  const caller = { subject: 'ann', role: 'admin' };
  expect(of('admin.changed')).toMatchObject([
    { caller, operation: 'POST /v1/gateways', record: 'up', outcome: 'ok' },
    { caller, operation: 'POST /v1/servers', record: 'desk', outcome: 'ok' },
    { caller, operation: 'POST /v1/servers/:id/state', record: 'none', outcome: 'not_found' },
  ]);
  expect(of('listener.reloaded')).toMatchObject([{ subject: 'CN=second' }]);
  expect(of('rotation.applied').length).toBeGreaterThan(0);
});

test('nothing secret is in it', () => {
  for (const canary of [...Object.values(CANARIES), gateway.token, 'PRIVATE KEY', 'Bearer'])
    expect(trail).not.toContain(canary);
});

test('it is whole, and each way to change it is found and named', async () => {
  const { path } = gateway.folder;
  const whole = await runPostern(['audit', 'verify', 'audit.ndjson'], { cwd: path });
  expect(whole).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^whole: \d+ lines, 1 chain, \d+ anchors held\n$/),
  });
  const all = trail.trimEnd().split('\n');
  const text = (kept: readonly string[]) => kept.map((line) => `${line}\n`).join('');
  const swapped = [...all.slice(0, 6), all[7] ?? '', all[6] ?? '', ...all.slice(8)];
  const changes: readonly [string, string, RegExp][] = [
    ['flipped', trail.replace('"name":"nobody"', '"name":"nobodz"'), /line \d+: it was changed/],
    ['removed', text(all.toSpliced(4, 1)), /line 5: expected number 5, met 6: lines before it were removed/],
    ['swapped', text(swapped), /line 7: expected number 7, met 8/],
    ['cut', text(all.slice(0, -4)), /the store knows line \d+ of chain .* was cut off/],
    ['cut-to-anchor', text(all.slice(0, 2)), /line 2: the store knows line/],
    ['joined', trail + trail, /a chain begins that does not follow the line before/],
    ['garbage', text(all.toSpliced(3, 1, 'nothing')), /line 4: it is no line of a trail/],
  ];
  for (const [name, changed, why] of changes) {
    await writeFile(join(path, name), changed);
    const { code, stdout } = await verifyIn(path, name);
    expect([name, code, stdout]).toEqual([name, 1, expect.stringMatching(/^broken: /m)]);
    expect(stdout).toMatch(why);
  }
});
