import { UnsecuredJWT } from 'jose';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { createAuthenticator } from '../../../src/identity/authenticator.ts';
import { challengeOf } from '../../../src/identity/refusals.ts';
import { TokenVerifier } from '../../../src/identity/token-verifier.ts';
import { importTokenKey, mintToken } from '../../../src/identity/token.ts';
import type { TokenKey } from '../../../src/identity/token.ts';
import { CALLER_SETTINGS, credentialsOf, signedToken } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let key: TokenKey;
let clock: ManualClock;
let verifier: TokenVerifier;
beforeAll(async () => {
  key = await importTokenKey(CALLER_SETTINGS);
});
beforeEach(() => {
  clock = new ManualClock();
  verifier = new TokenVerifier([key], clock);
});

const tokenFor = (subject: string, ttlSeconds = 3600, signer = key) =>
  mintToken({ subject, role: 'user', ttlSeconds }, signer, clock);

const signed = (claims: Readonly<Record<string, unknown>>, alg?: string, secret?: string): Promise<string> =>
  signedToken(claims, clock, alg, secret);

async function refusal(authorization: string | undefined): Promise<GatewayError> {
  const closed = await createAuthenticator(CALLER_SETTINGS, clock);
  const outcome = (async (): Promise<unknown> => closed.authenticate(credentialsOf(authorization)))();
  const error = await outcome.catch((error: unknown) => error);
  if (!(error instanceof GatewayError)) throw new Error('it was accepted');
  return error;
}

test('a minted token names its caller', async () => {
  const token = await mintToken({ subject: 'ann', role: 'admin', ttlSeconds: 60 }, key, clock);
  const { principal } = await verifier.callerOf(`Bearer ${token}`);
  expect(principal).toEqual({ subject: 'ann', role: 'admin', method: 'token', issuer: 'postern', claims: {} });
  const other = await verifier.callerOf(`bearer  ${await tokenFor('bob')}`);
  expect(other).toMatchObject({ principal: { subject: 'bob', role: 'user' }, boundTo: undefined });
});

test('a token that was verified is recognised at once, without looking at its signature again', async () => {
  const header = `Bearer ${await tokenFor('ann')}`;
  const first = verifier.callerOf(header);
  expect(first).toBeInstanceOf(Promise);
  const principal = await first;
  const verify = vi.spyOn(crypto.subtle, 'verify');
  expect(verifier.callerOf(header)).toBe(principal);
  expect(verify).not.toHaveBeenCalled();
  verify.mockRestore();
});

test('what is remembered is forgotten after a minute, and at expiry', async () => {
  const long = `Bearer ${await tokenFor('ann', 3600)}`;
  const short = `Bearer ${await tokenFor('bob', 30)}`;
  await verifier.callerOf(long);
  await verifier.callerOf(short);
  clock.advance(29_999);
  expect(verifier.callerOf(short)).not.toBeInstanceOf(Promise);
  clock.advance(1);
  expect(await refusal(short)).toMatchObject({ code: 'token_expired' });
  clock.advance(29_999);
  expect(verifier.callerOf(long)).not.toBeInstanceOf(Promise);
  clock.advance(1);
  expect(verifier.callerOf(long)).toBeInstanceOf(Promise);
});

test('a thousand tokens are remembered, then the oldest goes', async () => {
  const headers = await Promise.all(
    Array.from({ length: 1001 }, async (_, n) => `Bearer ${await tokenFor(`caller-${n}`)}`),
  );
  for (const header of headers) await verifier.callerOf(header);
  expect(verifier.callerOf(headers[0] ?? '')).toBeInstanceOf(Promise);
  expect(verifier.callerOf(headers[1000] ?? '')).not.toBeInstanceOf(Promise);
  expect(verifier.callerOf(headers[2] ?? '')).not.toBeInstanceOf(Promise);
});

test('without credentials the answer says which kind is wanted', async () => {
  for (const header of [undefined, '']) {
    const error = await refusal(header);
    expect(error.code).toBe('unauthenticated');
    expect(challengeOf(error)).toBe('Bearer');
  }
});

test.each([
  ['another scheme', () => 'Basic YW5uOnB3'],
  ['no token', () => 'Bearer '],
  ['garbage', () => 'Bearer abc.def.ghi'],
  ['another issuer', () => signed({ iss: 'someone' })],
  ['another audience', () => signed({ aud: 'someone' })],
  ['no expiry', () => signed({ exp: undefined })],
  ['no subject', () => signed({ sub: undefined })],
  ['an empty subject', () => signed({ sub: '' })],
  ['a subject that is no text', () => signed({ sub: 7 })],
  ['an unknown role', () => signed({ role: 'root' })],
  ['a date to come', () => signed({ nbf: clock.nowMs() / 1000 + 60 })],
  ['another algorithm', () => signed({}, 'HS512')],
  ['another key', () => signed({}, 'HS256', 'x'.repeat(64))],
  ['no signature', async () => new UnsecuredJWT({ sub: 'ann', iss: 'postern', aud: 'postern', exp: 9e9 }).encode()],
] as [string, () => string | Promise<string>][])('a token with %s is refused, and never repeated', async (_, make) => {
  const made = await make();
  const error = await refusal(made.includes(' ') ? made : `Bearer ${made}`);
  expect(error.code).toBe('unauthenticated');
  const told = `${error.message} ${JSON.stringify(error.details)} ${challengeOf(error)} ${String(error.cause)}`;
  expect(told).not.toContain(made.replace('Bearer ', '') || 'nothing');
  expect(challengeOf(error)).toMatch(/^Bearer error="invalid_token", error_description="[^"\\]+"$/);
});

test('the algorithm is the configured one, whatever the token says', async () => {
  const error = await refusal(`Bearer ${await signed({}, 'HS512')}`);
  expect(error.message).toBe('the token is signed with another algorithm than configured');
});

test('an expired token is told apart, also when it was remembered', async () => {
  const header = `Bearer ${await tokenFor('ann', 10)}`;
  await verifier.callerOf(header);
  clock.advance(10_000);
  expect(await refusal(header)).toMatchObject({ code: 'token_expired' });
  expect(await refusal(header)).toMatchObject({ code: 'token_expired' });
});

test.each(['HS384', 'HS512'] as const)('%s signs and verifies', async (jwtAlgorithm) => {
  const other = await importTokenKey({ ...CALLER_SETTINGS, jwtAlgorithm });
  const token = await tokenFor('ann', 60, other);
  expect(await new TokenVerifier([other], clock).callerOf(`Bearer ${token}`)).toMatchObject({
    principal: { subject: 'ann' },
  });
  expect(await refusal(`Bearer ${token}`)).toMatchObject({ code: 'unauthenticated' });
});

test('where no credentials are asked for, everyone is an admin', async () => {
  const open = await createAuthenticator({ ...CALLER_SETTINGS, authRequired: false }, clock);
  expect(open.authenticate(credentialsOf(undefined))).toMatchObject({ role: 'admin', method: 'open' });
  const closed = await createAuthenticator(CALLER_SETTINGS, clock);
  expect(() => closed.authenticate(credentialsOf(undefined))).toThrow(GatewayError);
});
