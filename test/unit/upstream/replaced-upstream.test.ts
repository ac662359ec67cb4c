import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import type { TlsProfile } from '../../../src/tls/profile.ts';
import type { UpstreamRequest } from '../../../src/upstream/transport.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startMcpUpstream, type McpUpstream, type McpUpstreamOptions } from '../../support/mcp-upstream.ts';
import { identityOf, profileOf } from '../../support/open-test-profile.ts';
import { mintPki, type MintedCa } from '../../support/pki.ts';
import { startRawServer } from '../../support/raw-servers.ts';
import { startTcpSwitch } from '../../support/tcp-switch.ts';
import { dialUpstream, TEST_GRANT, type DialledUpstream, type DialOptions } from '../../support/upstream.ts';

const open: { close(): Promise<unknown> }[] = [];
let ca: MintedCa;
let before: TlsProfile;
let after: TlsProfile;

beforeEach(async () => {
  ca = await (await mintPki()).ca('CA');
  const named = async (cn: string) => profileOf({ caCertificate: ca.pem, ...identityOf(await ca.issue({ cn })) });
  [before, after] = [await named('one'), await named('two')];
});
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function serve(options: McpUpstreamOptions = {}): Promise<McpUpstream> {
  const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const server = await startMcpUpstream({ ...options, tls: { cert, key, ca: ca.pem, requireClientCertificate: true } });
  open.push(server);
  return server;
}

function dial(url: string, profile: TlsProfile, options: DialOptions = {}): DialledUpstream {
  const dialled = dialUpstream({ url: new URL(url), profile }, options);
  open.push(dialled);
  return dialled;
}

const call = (tool: string, headers: Readonly<Record<string, string>> = {}): UpstreamRequest => ({
  method: 'POST',
  headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: tool, arguments: { text: 'said' } },
  }),
  mcpMethod: 'tools/call',
});

test('whoever found an upstream before it was replaced, and comes late, is served by the one in its place', async () => {
  const server = await serve({ era: 'legacy' });
  const [{ upstream }, { upstream: successor }] = [dial(server.url, before), dial(server.url, after)];
  await Promise.all([upstream.connect(TEST_GRANT), successor.connect(TEST_GRANT)]);
  const session = await upstream.sharedSession(TEST_GRANT);
  upstream.succeededBy(successor);
  expect(await upstream.close(60_000)).toBe(0);

  const lost = await upstream.send(TEST_GRANT, call('echo', session.headers));
  expect(lost.status).toBe(404);
  await lost.text(1e6);
  const { headers } = await session.renew();
  expect(await (await upstream.send(TEST_GRANT, call('echo', headers))).text(1e6)).toContain('said');
  expect(await upstream.call(TEST_GRANT, 'ping', {})).toMatchObject({ result: {} });
  expect(await upstream.sharedSession(TEST_GRANT)).toBe(await successor.sharedSession(TEST_GRANT));
  expect(server.requests.at(-1)?.clientSubject).toBe('two');
});

test('a session that was being opened when its upstream was replaced is that of the one in its place', async () => {
  const server = await serve({ era: 'legacy' });
  const { upstream: successor } = dial(server.url, after);
  const facts = await successor.connect(TEST_GRANT);
  const { upstream } = dial(server.url, before, { facts });
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  server.intercept = ({ rpcMethod, clientSubject }) => {
    if (rpcMethod !== 'initialize' || clientSubject !== 'one') return undefined;
    asked.resolve();
    return answered.promise;
  };
  const opening = upstream.sharedSession(TEST_GRANT);
  await asked.promise;
  upstream.succeededBy(successor);
  const closed = upstream.close(60_000);
  answered.resolve(undefined);
  const { headers } = await opening;
  expect(await closed).toBe(0);
  expect(await (await upstream.send(TEST_GRANT, call('echo', headers))).text(1e6)).toContain('said');
});

test('an upstream that was removed serves nobody who comes late', async () => {
  const { upstream } = dial((await serve()).url, before);
  await upstream.connect(TEST_GRANT);
  await upstream.close(60_000);
  await expect(upstream.send(TEST_GRANT, call('echo'))).rejects.toMatchObject({ code: 'channel_closed' });
});

test.each([1, 3])('a request without a connection goes out once, however often trust changed (%i)', async (often) => {
  const server = await serve({ era: 'legacy' });
  const other = dial(server.url, before).upstream;
  const facts = await other.connect(TEST_GRANT);
  const { headers } = await other.sharedSession(TEST_GRANT);
  let dialled = Promise.withResolvers<void>();
  const silent = await startRawServer(() => dialled.resolve());
  const address = await startTcpSwitch(silent.port);
  open.push(silent, address);
  const { upstream } = dial(`https://127.0.0.1:${address.port}/mcp`, before, { facts });
  const sent = upstream.send(TEST_GRANT, call('echo', headers));
  for (let change = often; change > 0; change--) {
    await dialled.promise;
    dialled = Promise.withResolvers<void>();
    if (change === 1) address.leadTo(server.port);
    expect(await upstream.connections.withdraw(change % 2 === 1 ? after : before)).toEqual([]);
  }
  expect(await (await sent).text(1e6)).toContain('said');
  expect(server.requestsOf('tools/call').map(({ clientSubject }) => clientSubject)).toEqual(['two']);
});

test('a session of HTTP+SSE goes on over its stream, what it sends takes the new identity', async () => {
  const server = await serve({ transport: 'sse' });
  const { upstream } = dial(server.url, before);
  await upstream.connect(TEST_GRANT);
  const { headers } = await upstream.sharedSession(TEST_GRANT);
  await upstream.connections.withdraw(after);
  expect(await (await upstream.send(TEST_GRANT, call('echo', headers))).text(1e6)).toContain('said');
  expect(server.requestsOf('tools/call').map(({ clientSubject }) => clientSubject)).toEqual(['two']);
});

test('a second close shortens the time of the first, and never makes it longer', async () => {
  const server = await serve();
  const clock = new ManualClock();
  const { upstream } = dial(server.url, before, { clock, dialClock: systemClock });
  await upstream.connect(TEST_GRANT);
  const { headers } = await upstream.sharedSession(TEST_GRANT);
  const response = upstream.send(TEST_GRANT, call('hold', headers)).then((answer) => answer.text(1e6));
  await server.untilHeld(1);
  expect(upstream.connections.active).toBe(1);
  const closed = upstream.close(300_000);
  void upstream.close(1_000);
  void upstream.close(600_000);
  clock.advance(999);
  expect(server.held).toBe(1);
  const failed = expect(response).rejects.toMatchObject({ code: 'drain_timeout' });
  clock.advance(1);
  await failed;
  expect(await closed).toBe(1);
});

test('what is cut fails, and says nothing about the fitness of the server', async () => {
  const server = await serve();
  const { upstream } = dial(server.url, before);
  await upstream.connect(TEST_GRANT);
  const { headers } = await upstream.sharedSession(TEST_GRANT);
  for (let round = 0; round < 6; round++) {
    const failed = expect(
      upstream.send(TEST_GRANT, call('hold', headers)).then((answer) => answer.text(1e6)),
    ).rejects.toMatchObject({ code: 'identity_withdrawn' });
    await server.untilHeld(round + 1);
    const other = await (await mintPki()).ca('Other');
    const elsewhere = await profileOf({ caCertificate: other.pem });
    const [cut, ...more] = await upstream.connections.withdraw(elsewhere);
    expect(cut).toMatchObject({ why: 'trust', requests: 1 });
    expect(more).toEqual([]);
    await failed;
    await upstream.connections.withdraw(before);
  }
  expect(upstream.health).toMatchObject({ status: 'healthy', breaker: 'closed' });
});
