import { beforeAll, beforeEach, expect, test } from 'vitest';
import { subjectOf } from '../../../src/identity/caller-names.ts';
import { CertificateCallers } from '../../../src/identity/certificate-callers.ts';
import type { CallerConnection } from '../../../src/identity/credentials.ts';
import { connectionFrom } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, MintOptions } from '../../support/pki.ts';

let ca: MintedCa;
let clock: ManualClock;
let callers: CertificateCallers;
beforeAll(async () => {
  ca = await (await mintPki()).ca('Callers');
});
beforeEach(() => {
  clock = new ManualClock();
  callers = new CertificateCallers(clock);
});

async function showing(options: MintOptions): Promise<CallerConnection> {
  const shown = await ca.issue({
    eku: 'client',
    notBefore: new Date(clock.nowMs() - 60_000),
    notAfter: new Date(clock.nowMs() + 60_000),
    ...options,
  });
  return connectionFrom('127.0.0.1', shown);
}

const uris = ['spiffe://example.org/agent', 'urn:other'];
const [dns, emails] = [['agent.example.org'], ['agent@example.org']];

test.each<[MintOptions, string]>([
  [{ cn: 'agent', dns, emails, uris }, 'spiffe://example.org/agent'],
  [{ cn: 'agent', dns, emails }, 'agent.example.org'],
  [{ cn: 'agent', emails }, 'agent@example.org'],
  [{ cn: 'agent' }, 'agent'],
])('%o is %s, a user', async (options, subject) => {
  const { principal } = await callers.callerOf(await showing(options));
  const certificate = { subject: 'CN=agent', issuer: 'CN=Callers', sha256: expect.stringMatching(/^[\da-f]{64}$/) };
  expect(principal).toEqual({ subject, role: 'user', method: 'certificate', certificate, claims: {} });
});

test('a connection is looked at once', async () => {
  const connection = await showing({ cn: 'agent' });
  const first = callers.callerOf(connection);
  expect(first).toBeInstanceOf(Promise);
  const caller = await first;
  expect(callers.callerOf(connection)).toBe(caller);
});

test('a connection that outlives its certificate names nobody', async () => {
  const connection = await showing({ cn: 'agent' });
  await callers.callerOf(connection);
  clock.advance(61_000);
  expect(() => callers.callerOf(connection)).toThrow('has expired');
  await expect(new CertificateCallers(clock).callerOf(connection)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test.each([
  ['no name', ''],
  ['control characters', 'two\nlines'],
  ['longer than', 'x'.repeat(1025)],
])('a certificate with %s names nobody', async (why, uri) => {
  const { certificate } = await ca.issue({ cn: 'agent', eku: 'client' });
  expect(() => subjectOf({ ...certificate.facts, uris: [uri] })).toThrow(why);
});

test('a chain without a certificate names nobody', async () => {
  await expect(callers.callerOf(connectionFrom('127.0.0.1'))).rejects.toMatchObject({
    code: 'unauthenticated',
  });
});
