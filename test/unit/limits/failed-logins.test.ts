import { beforeEach, expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import { FailedLogins } from '../../../src/limits/failed-logins.ts';
import { readLimits } from '../../../src/limits/short-form.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';

const ann = mintPrincipal({ subject: 'ann', role: 'user', method: 'token' });
const bad = (): GatewayError => new GatewayError('unauthenticated', 'no');

let clock: ManualClock;
let recorded: RecordedEvents;
let logins: FailedLogins;
let looked: number;
beforeEach(() => {
  clock = new ManualClock();
  recorded = recordEvents();
  logins = new FailedLogins(clock, recorded.sink);
  logins.use(readLimits('failures=60/minute,burst=3'));
  looked = 0;
});

/** What an attempt comes to: a name, or a code. */
async function attempt(authorization: string, address: string | undefined = '192.0.2.1', forwarded?: string) {
  const guarded = logins.guarded(() => {
    looked++;
    if (authorization.endsWith('good')) return ann;
    if (authorization.endsWith('good later')) return Promise.resolve(ann);
    if (authorization.endsWith('expired')) throw new GatewayError('token_expired', 'expired');
    if (authorization === '')
      throw new GatewayError('unauthenticated', 'none', { details: { credentials: 'missing' } });
    if (authorization.endsWith('later')) return Promise.reject(bad());
    throw bad();
  });
  const headers = new Headers({ authorization, ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) });
  try {
    return (await guarded({ headers, connection: { address, chain: [] } })).subject;
  } catch (error) {
    return (error as GatewayError).code;
  }
}

async function attempts(...authorizations: readonly string[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const one of authorizations) outcomes.push(await attempt(one));
  return outcomes;
}

const REFUSED = 'unauthenticated';
const SLOWED = 'too_many_requests';

test('who fails too often is slowed down, and may fail again as time goes by', async () => {
  expect(await attempts('Bearer x', 'Bearer later', 'Basic x', 'Bearer x', 'Bearer later')).toEqual([
    REFUSED,
    REFUSED,
    REFUSED,
    SLOWED,
    SLOWED,
  ]);
  clock.advance(1000);
  expect(await attempts('Bearer x', 'Bearer x')).toEqual([REFUSED, SLOWED]);
});

test('good credentials go through from there as well, but for passwords, which are not looked at', async () => {
  await attempts('Basic x', 'Basic x', 'Basic x');
  looked = 0;
  expect(await attempts('Basic good', 'Basic x', 'basic good')).toEqual([SLOWED, SLOWED, SLOWED]);
  expect(looked).toBe(0);
  expect(await attempts('Bearer good', 'Bearer good later')).toEqual(['ann', 'ann']);
  expect(await attempt('Basic good', '192.0.2.2')).toBe('ann');
});

test('what is missing or has expired is no failure', async () => {
  for (let count = 0; count < 5; count++)
    expect(await attempts('', 'Bearer expired')).toEqual([REFUSED, 'token_expired']);
  expect(await attempts('Bearer x')).toEqual([REFUSED]);
});

test('each address counts for itself, an IPv6 one for its network, behind a proxy the one it names', async () => {
  const outcomes: string[] = [];
  for (const [address, forwarded] of [
    ['2001:db8::1', undefined],
    ['2001:db8::2', undefined],
    ['2001:db8::3', undefined],
    ['2001:db8::4', undefined],
    ['2001:db8:0:1::1', undefined],
    ['192.0.2.9', '2001:db8::5'],
    ['192.0.2.9', '2001:db8::5, 198.51.100.1'],
  ] as const)
    outcomes.push(await attempt('Bearer x', address, forwarded));
  expect(outcomes).toEqual([REFUSED, REFUSED, REFUSED, SLOWED, REFUSED, SLOWED, REFUSED]);
});

test('where nobody knows addresses nobody is slowed down', async () => {
  for (let count = 0; count < 5; count++) {
    const guarded = logins.guarded(() => {
      throw bad();
    });
    expect(() => guarded({ headers: new Headers({ authorization: 'Bearer x' }) })).toThrow('no');
  }
});

test('it is said once a minute for each address', async () => {
  for (let count = 0; count < 3; count++) await attempts('Basic x', 'Basic x', 'Basic x', 'Basic x');
  expect(recorded.of('caller.slowed')).toEqual([{ address: '192.0.2.1', retryInMs: 1000 }]);
  clock.advance(60_000);
  await attempts('Basic x', 'Basic x', 'Basic x', 'Basic x');
  expect(recorded.count('caller.slowed')).toBe(2);
});

test('without a rule it is twenty, and then twenty a minute', async () => {
  logins.use([]);
  const outcomes = await attempts(...Array.from({ length: 22 }, () => 'Bearer x'));
  expect(outcomes.filter((outcome) => outcome === REFUSED).length).toBe(20);
  clock.advance(3000);
  expect(await attempts('Bearer x', 'Bearer x')).toEqual([REFUSED, SLOWED]);
});
