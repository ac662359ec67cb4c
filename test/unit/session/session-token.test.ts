import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMemory } from '../../../adapters/node-compat/storage/memory.ts';
import { LegacySessions } from '../../../src/session/legacy-sessions.ts';
import { RecordStore } from '../../../src/store/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintVault } from '../../support/vault.ts';

async function replicas() {
  const vault = await mintVault();
  const events = () => undefined;
  const records = new RecordStore({ storage: openMemory(), sealer: vault, events });
  const clock = new ManualClock();
  const replica = () => new LegacySessions({ vault, records, events, clock, lifetimeMs: 1_000, maxCachedCount: 4 });
  return { here: replica(), there: replica() };
}

const upstreamId = fc.stringMatching(/^[A-Za-z0-9_-]{22}$/);
const upstreamSession = fc.record({ id: fc.string({ maxLength: 1024 }), protocolVersion: fc.string() });
const opened = fc.record({
  subject: fc.string(),
  server: fc.string(),
  initialize: fc.dictionary(fc.string(), fc.jsonValue()),
  upstreams: fc.dictionary(upstreamId, upstreamSession, { maxKeys: 24 }),
});

test('whatever a session was opened with comes back at another replica, from an id a header can carry', async () => {
  const { here, there } = await replicas();
  await fc.assert(
    fc.asyncProperty(opened, async (facts) => {
      const { token } = await here.open(facts);
      expect(token).toMatch(/^[A-Za-z0-9._-]{1,3072}$/);
      const session = await there.resume(token, facts.subject, facts.server);
      expect(session.state.initialize).toEqual(JSON.parse(JSON.stringify(facts.initialize)));
      for (const [id, upstream] of Object.entries(facts.upstreams)) expect(session.upstream(id)).toEqual(upstream);
    }),
  );
});

test('an id in which anything was changed is no id', async () => {
  const { here, there } = await replicas();
  const { token } = await here.open({ subject: 'ann', server: 'gw', initialize: {}, upstreams: {} });
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
  const position = fc.integer({ min: 0, max: token.length - 1 });
  await fc.assert(
    fc.asyncProperty(position, fc.constantFrom(...alphabet.split('')), async (at, char) => {
      const changed = token.slice(0, at) + char + token.slice(at + 1);
      fc.pre(changed !== token && !isSameInBase64(token, changed));
      await expect((async () => there.resume(changed, 'ann', 'gw'))()).rejects.toMatchObject({
        code: 'session_not_found',
      });
    }),
  );
});

/** The last character of a base64 text carries bits that mean nothing. */
function isSameInBase64(a: string, b: string): boolean {
  const bytesOf = (token: string) => token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return bytesOf(a).join('.') === bytesOf(b).join('.');
}
