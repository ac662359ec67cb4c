/** What OCSP says decides before anything is sent to a server, and before a caller is served; on every runtime. */
import { request } from 'node:https';
import { RUNTIME } from '#runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { fetchOver } from '../../src/tls/fetch-bytes.ts';
import { OcspClient } from '../../src/tls/ocsp/ocsp-client.ts';
import { OcspGuard } from '../../src/tls/ocsp/ocsp-guard.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { closeAfterEach } from '../support/closing.ts';
import { identityTrusting } from '../support/listener-identity.ts';
import { failedWith, issueStatused, ocspResponse, OCSP_SIGNING } from '../support/ocsp-pki.ts';
import { type OcspResponder, startOcspResponder } from '../support/ocsp-responder.ts';
import { profileOf } from '../support/open-test-profile.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { recordEvents } from '../support/recorded-events.ts';
import { startUpstream } from '../support/tls-upstream.ts';

const closing = closeAfterEach();
let ca: MintedCa;
let responder: OcspResponder;
beforeAll(async () => {
  ca = await (await mintPki()).ca('CA');
  responder = await startOcspResponder(ca);
});
afterAll(() => responder.close());

const names = { cn: 'peer', ip: ['127.0.0.1'], dns: ['localhost'] };
const past = (ms: number) => new Date(Date.now() - ms);
const HOUR_MS = 3_600_000;
type Failure = 'closed' | 'open';

/** A GET of a server with this certificate: its answer, or the code it was refused with. */
async function dial(server: MintedCertificate, failure: Failure, asked: TlsMaterial = { revocation: 'ocsp' }) {
  const events = recordEvents();
  const dialer = createDialer(RUNTIME, {
    events: events.sink,
    clock: systemClock,
    contextCache: { maxIdle: 0 },
    connectTimeoutMs: 8_000,
    revocationFailure: failure,
  });
  const upstream = await startUpstream({
    tls: { cert: server.chainPem, key: server.keyPem },
    handle: ({ url }, response) => (url === '/endless' ? response.write('begun') : response.end('ok')),
  });
  const profile = await profileOf({ caCertificate: ca.pem, ...asked });
  const channel = await dialer.open(profile, upstream.origin('127.0.0.1'));
  closing.push(
    () => upstream.close(),
    () => channel.destroy(new GatewayError('channel_closed', 'done')),
  );
  const get = async () => (await channel.send({ method: 'GET', path: '/', headers: {} })).text(100);
  const outcome = await get().catch((error: unknown) => (error as GatewayError).code);
  return { outcome, sent: upstream.requests.length, events, channel, upstream, get };
}

/** The same of a listener that such a caller calls. */
async function call(caller: MintedCertificate, failure: Failure) {
  const events = recordEvents();
  const dialer = createDialer(RUNTIME, { events: events.sink, clock: systemClock, contextCache: { maxIdle: 0 } });
  const options = { clock: systemClock, events: events.sink };
  const client = new OcspClient({ ...options, fetchBytes: fetchOver(dialer, systemClock) });
  const ocsp = new OcspGuard({ ...options, client, failure, side: 'listener' });
  const shown = await ca.issue({ ...names, eku: 'server' });
  const identity = await identityTrusting([ca], shown);
  let served = 0;
  const fetch = () => {
    served++;
    return new Response('ok');
  };
  const listener = await openListener(RUNTIME, {
    host: '127.0.0.1',
    port: 0,
    identity,
    fetch,
    ocsp,
    events: events.sink,
  });
  closing.push(() => listener.close(0));
  const tls = { ca: ca.pem, cert: caller.chainPem, key: caller.keyPem, agent: false };
  const outcome = await new Promise<string>((resolve) => {
    const sent = request({ host: '127.0.0.1', port: listener.port, ...tls }, (response) => {
      response.resume();
      response.once('end', () => resolve('ok'));
    });
    sent.once('error', () => resolve('refused')).end();
  });
  return { outcome, served, events };
}

test('a good server is sent requests, and asked about once', async () => {
  const server = await responder.issue(names);
  const before = responder.asked.length;
  const { outcome, get } = await dial(server, 'closed');
  expect([outcome, await get(), responder.asked.length - before]).toEqual(['ok', 'ok', 1]);
});

test('a revoked server is sent nothing, and a revoked caller is not served, also when open', async () => {
  for (const failure of ['closed', 'open'] as const) {
    const peer = await responder.issue(names);
    responder.say(peer, { status: 'revoked' });
    expect(await dial(peer, failure)).toMatchObject({ outcome: 'tls_server_revoked', sent: 0 });
    const { outcome, served, events } = await call(peer, failure);
    expect([outcome, served]).toEqual(['refused', 0]);
    expect(events.of('listener.refused')).toMatchObject([
      { subject: expect.stringContaining('CN=peer'), reason: 'certificate_revoked' },
    ]);
  }
});

test.each([
  ['is unknown', () => ({ status: 'unknown' as const })],
  ['is told to come later', () => () => failedWith(3)],
  ['gets garbage', () => () => 'x'.repeat(500)],
  ['gets an error', () => () => 500],
  ['gets more than anybody signs', () => () => new Uint8Array(100_000)],
  ['gets an answer that is over', () => ({ thisUpdate: past(HOUR_MS), nextUpdate: past(HOUR_MS / 2) })],
  [
    'gets an answer of somebody else',
    (peer: MintedCertificate) => async () =>
      ocspResponse(peer.certificate, ca, {
        signer: await issueStatused(await (await mintPki()).ca('CA'), { cn: 'r', usages: [OCSP_SIGNING] }),
      }),
  ],
])('a peer that %s is refused when closed, and passes when open, which is said', async (_, answerTo) => {
  const peer = await responder.issue(names);
  responder.say(peer, answerTo(peer));
  expect(await dial(peer, 'closed')).toMatchObject({ outcome: 'ocsp_unavailable', sent: 0 });
  expect(await call(peer, 'closed')).toMatchObject({ outcome: 'refused', served: 0 });
  for (const { outcome, events } of [await dial(peer, 'open'), await call(peer, 'open')]) {
    expect(outcome).toBe('ok');
    expect(events.count('revocation.passed')).toBe(1);
  }
});

test('so it is where no responder is named, and where none answers', async () => {
  const unnamed = await issueStatused(ca, names);
  expect(await dial(unnamed, 'closed')).toMatchObject({ outcome: 'ocsp_unavailable', sent: 0 });
  expect(await dial(unnamed, 'open')).toMatchObject({ outcome: 'ok' });
  const gone = await startOcspResponder(ca);
  const peer = await gone.issue(names);
  await gone.stop();
  const { outcome, events } = await dial(peer, 'closed');
  expect(outcome).toBe('ocsp_unavailable');
  expect(events.of('revocation.failing')).toMatchObject([{ kind: 'ocsp', code: 'ocsp_unavailable' }]);
  expect(await call(peer, 'open')).toMatchObject({ outcome: 'ok' });
});

test('a connection is looked at again when the answer is over, and cut once it is revoked', async () => {
  const server = await responder.issue(names);
  responder.sayShortly(server);
  const { outcome, events, upstream, channel, get } = await dial(server, 'closed');
  expect(outcome).toBe('ok');
  const endless = (await channel.send({ method: 'GET', path: '/endless', headers: {} })).text(100);
  endless.catch(() => undefined);
  const asked = responder.asked.length;
  await expect.poll(() => responder.asked.length, { timeout: 5_000 }).toBe(asked + 1);
  responder.say(server, { status: 'revoked', thisUpdate: new Date() });
  await expect(endless).rejects.toMatchObject({ code: 'identity_withdrawn' });
  expect(events.of('upstream.refused')).toMatchObject([{ requests: 1, why: 'revoked' }]);
  await expect(get()).rejects.toMatchObject({ code: 'tls_server_revoked' });
  expect(upstream.requests.length).toBe(2);
});

test('a list that ran out lets pass whom it does not name when open, and nobody when closed', async () => {
  const [named, other] = [await ca.issue(names), await ca.issue(names)];
  const dates = { thisUpdate: past(HOUR_MS), nextUpdate: past(HOUR_MS / 2) };
  const asked = { crl: await ca.crl([named.serialNumber], dates) };
  expect(await dial(named, 'open', asked)).toMatchObject({ outcome: 'tls_server_revoked', sent: 0 });
  expect(await dial(other, 'closed', asked)).toMatchObject({ outcome: 'tls_crl_unusable', sent: 0 });
  const { outcome, events } = await dial(other, 'open', asked);
  expect([outcome, events.count('revocation.passed')]).toEqual(['ok', 1]);
});
