import { beforeEach, expect, test } from 'vitest';
import { KeptTokens, revocationId } from '../../../src/identity/kept-tokens.ts';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import type { RecognisedToken } from '../../../src/identity/recognised-token.ts';
import { decide } from '../../../src/policy/grant.ts';
import type { Grant } from '../../../src/policy/grant.ts';
import type { RotationNote } from '../../../src/rotation/generation.ts';
import { RecordStore } from '../../../src/store/records.ts';
import type { RecordChange } from '../../../src/store/records.ts';
import { Tokens } from '../../../src/tokens/tokens.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';
import { openSteeredStorage } from '../../support/steered-storage.ts';
import type { SteeredStorage } from '../../support/steered-storage.ts';
import { storedText } from '../../support/stored-text.ts';
import { mintVault } from '../../support/vault.ts';

const MINUTE_MS = 60_000;
let clock: ManualClock;
let log: RecordedEvents;
let steered: SteeredStorage;
let records: RecordStore;
let kept: KeptTokens;
let tokens: Tokens;
let grant: Grant;
const notes: RotationNote[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  log = recordEvents();
  steered = openSteeredStorage();
  records = new RecordStore({ storage: steered.storage, sealer: await mintVault(), events: log.sink });
  const decision = decide(mintPrincipal({ subject: 'operator', role: 'admin', method: 'open' }), { kind: 'admin' });
  if (!decision.allowed) throw new Error('refused');
  grant = decision.grant;
  notes.length = 0;
  open();
});

/** As another instance, or this one after a new start. */
function open(): void {
  const commit = async (changes: readonly RecordChange[], note: RotationNote, putInForce: () => void) => {
    notes.push(note);
    if (!(await records.write(changes))) return false;
    putInForce();
    return true;
  };
  kept = new KeptTokens('postern', clock);
  tokens = new Tokens({ records, rotation: { commit }, kept, clock, events: log.sink });
}

const make = async (subject = 'ann', expiresAt: string | null = null) => {
  const { token, listed } = await tokens.create(grant, { subject, expiresAt });
  return { token: token.reveal(), id: listed.id };
};
const signed = (facts: Partial<RecognisedToken> & { readonly subject?: string } = {}): RecognisedToken => {
  const { subject = 'ann', ...rest } = facts;
  const principal = mintPrincipal({ subject, role: 'user', method: 'token', issuer: 'postern' });
  return { principal, boundTo: undefined, expiresMs: Infinity, issuedMs: clock.nowMs(), jti: 'one', ...rest };
};
const tamper = async (key: string) => {
  const stored = JSON.parse((await storedText(steered.storage, key)) ?? '') as { body: object };
  const value = JSON.stringify({ ...stored, body: { ...stored.body, subject: 'eve', issuedBefore: '2000' } });
  await steered.storage.commit([{ key, value }]);
};

test('what was made is taken after a new start, and each change is a generation about it', async () => {
  const { token, id } = await make();
  expect(notes).toMatchObject([{ by: 'operator', reason: 'change', scope: [`token:${id}`] }]);
  open();
  await expect(kept.recognise(token)).rejects.toThrow('not one of those that were handed out');
  expect(await tokens.reload()).toBe(true);
  expect((await kept.recognise(token)).principal).toMatchObject({
    subject: 'ann',
    role: 'user',
    claims: { token_id: id },
  });
  expect(await tokens.reload()).toBe(false);
  expect(await tokens.participant.apply({ scope: ['gateway:a'], cuts: [] })).toBe(false);
});

test('a record that was changed outside makes no token, and is reported once', async () => {
  const { token, id } = await make();
  await tamper(`token:${id}`);
  await tokens.reload();
  await tokens.reload();
  await expect(kept.recognise(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(log.of('record.refused')).toMatchObject([{ record: `token:${id}`, code: 'record_tampered' }]);
  expect(tokens.participant.problems()).toMatchObject([{ subject: `token:${id}`, code: 'record_tampered' }]);
  await tokens.remove(grant, id);
  expect(tokens.list()).toEqual([]);
});

test('what was taken back stays so where its record cannot be believed any more', async () => {
  await tokens.revoke(grant, { what: 'jti', name: 'one' });
  await tokens.revoke(grant, { what: 'subject', name: 'bob' });
  await expect(kept.refuseRevoked(signed())).rejects.toThrow('was revoked');
  await kept.refuseRevoked(signed({ jti: 'two' }));
  for (const [what, name] of [
    ['jti', 'one'],
    ['subject', 'bob'],
  ] as const)
    await tamper(`revocation:${await revocationId(what, name)}`);
  open();
  await tokens.reload();
  await expect(kept.refuseRevoked(signed())).rejects.toThrow('was revoked');
  // since nobody knows up to when, it is all of them
  clock.advance(MINUTE_MS);
  await expect(kept.refuseRevoked(signed({ subject: 'bob', jti: 'x' }))).rejects.toThrow('was revoked');
  await kept.refuseRevoked(signed({ subject: 'carl', jti: 'x' }));
});

test('all of a subject means what was issued before, and what does not say when', async () => {
  const old = await make('ann');
  clock.advance(MINUTE_MS);
  const issuedBefore = new Date(clock.nowMs()).toISOString();
  await tokens.revoke(grant, { what: 'subject', name: 'ann', issuedBefore });
  await expect(kept.recognise(old.token)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(tokens.list()).toEqual([]);
  await expect(kept.refuseRevoked(signed({ issuedMs: clock.nowMs() - 1 }))).rejects.toThrow('was revoked');
  await expect(kept.refuseRevoked(signed({ issuedMs: undefined }))).rejects.toThrow('was revoked');
  await kept.refuseRevoked(signed());
  await kept.recognise((await make('ann')).token);
});

test('a jti is one of ours: another issuer may have the same', async () => {
  await tokens.revoke(grant, { what: 'jti', name: 'one' });
  const principal = mintPrincipal({
    subject: 'x',
    role: 'user',
    method: 'token',
    issuer: 'https://issuer.example.com',
  });
  await kept.refuseRevoked({ ...signed(), principal });
});

test('what has expired goes with the next change', async () => {
  const inAMinute = new Date(clock.nowMs() + MINUTE_MS).toISOString();
  const { id } = await make('ann', inAMinute);
  await tokens.revoke(grant, { what: 'jti', name: 'one', expiresAt: inAMinute });
  clock.advance(2 * MINUTE_MS);
  expect([tokens.list().length, tokens.revocations().length]).toEqual([1, 1]);
  const young = await make();
  expect([tokens.list().map((token) => token.id), tokens.revocations().length]).toEqual([[young.id], 0]);
  expect(notes.at(-1)?.scope).toContain(`token:${id}`);
  expect([await records.ids('token'), await records.ids('revocation')]).toEqual([[young.id], []]);
});

test('while the store is gone, what was read last counts for a quarter of an hour, and then nothing does', async () => {
  const { token } = await make();
  steered.gone = true;
  await expect(tokens.reload()).rejects.toMatchObject({ code: 'store_unavailable' });
  clock.advance(15 * MINUTE_MS - 1);
  await expect(tokens.reload()).rejects.toMatchObject({ code: 'store_unavailable' });
  await kept.recognise(token);
  clock.advance(1);
  await expect(kept.recognise(token)).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(kept.refuseRevoked(signed())).rejects.toMatchObject({ code: 'store_unavailable' });
  steered.gone = false;
  await tokens.reload();
  await kept.recognise(token);
});
