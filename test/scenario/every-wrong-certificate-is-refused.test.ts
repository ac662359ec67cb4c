/**
 * The matrix: whatever is wrong with a certificate, however callers are asked for one, over HTTP/1.1, HTTP/2 and
 * WebSocket and each version of TLS, no TLS session gets around it, and the event says why.
 */
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUNTIME } from '#runtime';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import type { Listener } from '../../adapters/node-compat/listener/listener.ts';
import type { Gateway } from '../../src/gateway.ts';
import { mintCallerCases } from '../support/caller-cases.ts';
import type { CallerCase, CallerCases, Shown } from '../support/caller-cases.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { identityTrusting, listenerIdentity } from '../support/listener-identity.ts';
import { recordEvents } from '../support/recorded-events.ts';
import type { RecordedEvents } from '../support/recorded-events.ts';
import { openSocket, refusedSocket } from '../support/web-socket.ts';

const MODES = ['none', 'optional', 'required'] as const;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
type Mode = (typeof MODES)[number];

let minted: CallerCases;
let gateway: TestGateway;
/** Held to depth and pins, and to revocation lists, by mode. */
const listeners = new Map<string, { listener: Listener; recorded: RecordedEvents }>();

beforeAll(async () => {
  minted = await mintCallerCases();
  const { server, ours, partners, pins, crls, maxIntermediates } = minted;
  const callerRules = { anchors: [ours.certificate, partners.certificate], pins: [] };
  gateway = await startGateway({
    // nobody is slowed down for failing often
    settings: { POSTERN_CLIENT_SUBJECT: minted.rules.join(', '), POSTERN_LIMITS: 'failures=10000/second' },
    wrapPlatform: (platform) => ({ ...platform, callerRules: () => callerRules }),
  });
  for (const mode of MODES) {
    const isRequired = mode === 'required';
    const trusting = (asked: object) => identityTrusting([ours, partners], server, { isRequired, ...asked });
    const identities = {
      rules: mode === 'none' ? listenerIdentity(server) : await trusting({ pins, maxIntermediates }),
      lists: mode === 'none' ? listenerIdentity(server) : await trusting({ crls }),
    };
    for (const [kind, identity] of Object.entries(identities))
      listeners.set(`${mode} ${kind}`, await listen(gateway.gateway, identity));
  }
});
afterAll(async () => {
  for (const { listener } of listeners.values()) await listener.close(0);
  await gateway?.close();
});

async function listen({ fetch, webSocket }: Gateway, identity: ReturnType<typeof listenerIdentity>) {
  const recorded = recordEvents();
  const options = { host: '127.0.0.1', port: 0, identity, fetch, webSocket, events: recorded.sink };
  return { listener: await openListener(RUNTIME, options), recorded };
}

const optionsFor = ({ port }: Listener, shown: Shown | undefined, more: ConnectionOptions) => ({
  port,
  host: '127.0.0.1',
  family: 4,
  servername: 'localhost',
  ca: minted.serverCa.pem,
  ...(shown && { cert: shown.chainPem, key: shown.keyPem }),
  ...more,
});

/** `refused` where there is no connection, `nobody` where nobody is known, else who calls. */
type Ask = (listener: Listener, shown: Shown | undefined, more?: ConnectionOptions) => Promise<string>;

const whoIn = (answer: string): string =>
  /"message":"([\w.]+) has role user/.exec(answer)?.[1] ??
  (answer.includes('"unauthenticated"') ? 'nobody' : 'refused');

const ASK: Readonly<Record<string, Ask>> = {
  'HTTP/1.1': (listener, shown, more = {}) =>
    new Promise((resolve) => {
      const socket = connect(optionsFor(listener, shown, more));
      let text = '';
      socket.once('secureConnect', () => {
        expect(socket.isSessionReused()).toBe(false);
        socket.write('GET /v1/gateways HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      });
      socket.on('data', (chunk) => (text += chunk.toString())).on('error', () => undefined);
      socket.once('close', () => resolve(whoIn(text)));
    }),
  'HTTP/2': async (listener, shown, more = {}) => {
    const session = connectHttp2(`https://localhost:${listener.port}`, optionsFor(listener, shown, more));
    try {
      const stream = session.on('error', () => undefined).request({ ':path': '/v1/gateways' });
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
      await new Promise((resolve) => stream.once('close', resolve));
      return whoIn(text);
    } finally {
      session.destroy();
    }
  },
  WebSocket: async (listener, shown, more = {}) => {
    const url = `https://localhost:${listener.port}/ws`;
    // what ws hands on to tls.connect its types do not know
    const options = optionsFor(listener, shown, more) as object;
    try {
      (await openSocket(url, options)).socket.terminate();
      return 'opened';
    } catch {
      return await refusedSocket(url, options).then(
        ({ body }) => whoIn(body),
        () => 'refused',
      );
    }
  },
};

/** A session of a good handshake, where the listener gives one out. */
function sessionOf(listener: Listener, more: ConnectionOptions): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const shown = minted.cases.get('good')?.shown;
    const socket = connect(optionsFor(listener, shown, more));
    let session: Buffer | undefined;
    socket.once('secureConnect', () => {
      session = socket.getSession();
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket
      .on('session', (ticket) => (session = ticket))
      .resume()
      .on('error', () => undefined);
    socket.once('close', () => resolve(session));
  });
}

function outcomeOf({ shown, refusal, subject }: CallerCase, mode: Mode, protocol: string) {
  if (mode === 'none') return { who: 'nobody', reason: undefined };
  if (shown === undefined && mode === 'optional') return { who: 'nobody', reason: undefined };
  if (refusal !== undefined) return { who: 'refused', reason: refusal };
  return { who: subject === undefined ? 'nobody' : protocol === 'WebSocket' ? 'opened' : subject, reason: undefined };
}

describe.each(MODES)('where certificates are %s', (mode) => {
  test.each(Object.keys(ASK).flatMap((protocol) => VERSIONS.map((version) => [protocol, version] as const)))(
    'over %s and %s, with and without a session of somebody who was let in',
    async (protocol, version) => {
      const versions = { minVersion: version, maxVersion: version };
      const ask = ASK[protocol];
      for (const kind of ['rules', 'lists']) {
        const { listener, recorded } = listeners.get(`${mode} ${kind}`) ?? {};
        if (!listener || !recorded || !ask) throw new Error('no such listener');
        const session = mode === 'none' ? undefined : await sessionOf(listener, versions);
        for (const [name, one] of minted.cases) {
          // either is about something else
          if (kind === 'lists' ? minted.withIntermediates.has(name) || name === 'of another key' : name === 'revoked')
            continue;
          const { who, reason } = outcomeOf(one, mode, protocol);
          for (const more of [{}, ...(session ? [{ session }] : [])]) {
            const before = recorded.count('listener.refused');
            expect([name, await ask(listener, one.shown, { ...versions, ...more })]).toEqual([name, who]);
            const told = recorded.of('listener.refused').slice(before);
            const shown = one.shown && { subject: expect.stringContaining('CN=') };
            const found = kind === 'lists' && name === 'self-signed' ? 'certificate_unlisted' : reason;
            const expected = reason && [{ reason: found, address: '127.0.0.1', ...shown }];
            // a WebSocket that is refused is asked for again, to see the answer
            expect([name, told.slice(0, 1)]).toEqual([name, expected ?? []]);
          }
        }
      }
    },
  );
});

test.each(VERSIONS)(
  'over %s, a session that was kept brings nobody back whose trust was withdrawn',
  async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    const { server, ours, partners, cases } = minted;
    const good = cases.get('good')?.shown;
    const withdrawn = {
      authority: () => identityTrusting([partners], server),
      pin: () => identityTrusting([ours], server, { pins: [partners.certificate.facts.spkiPin] }),
      depth: () => identityTrusting([partners], server, { maxIntermediates: 0 }),
    };
    for (const [what, after] of Object.entries(withdrawn)) {
      const { listener } = await listen(gateway.gateway, await identityTrusting([ours], server));
      try {
        const session = await sessionOf(listener, versions);
        expect([what, await ASK['HTTP/1.1']?.(listener, good, versions)]).toEqual([what, 'good']);
        await listener.present(await after());
        const again = { ...versions, ...(session && { session }) };
        for (const [protocol, ask] of Object.entries(ASK))
          expect([what, protocol, await ask(listener, good, again)]).toEqual([what, protocol, 'refused']);
      } finally {
        await listener.close(0);
      }
    }
  },
);
