import { beforeEach, expect, test } from 'vitest';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import type { PrincipalFacts } from '../../../src/identity/principal.ts';
import { Limiter } from '../../../src/limits/limiter.ts';
import type { Admission } from '../../../src/limits/limiter.ts';
import type { LimitedCall } from '../../../src/limits/meter.ts';
import { readLimits } from '../../../src/limits/short-form.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordEvents } from '../../support/recorded-events.ts';
import type { RecordedEvents } from '../../support/recorded-events.ts';

let clock: ManualClock;
let recorded: RecordedEvents;
let limiter: Limiter;
beforeEach(() => {
  clock = new ManualClock();
  recorded = recordEvents();
  limiter = new Limiter({ clock, events: recorded.sink });
});

const principal = (subject: string, facts: Partial<PrincipalFacts> = {}) =>
  mintPrincipal({ subject, role: 'user', method: 'token', ...facts });
const [ann, bob] = [principal('ann'), principal('bob')];
const crm = { id: 'id-1', slug: 'crm' };
const callOf = (call: Partial<LimitedCall> = {}): LimitedCall => ({
  principal: ann,
  address: '192.0.2.1',
  gateway: crm,
  tool: 'find',
  ...call,
});

/** Nobody else is asked here, so the answer is at hand. */
const admit = (call: Partial<LimitedCall> = {}): Admission => {
  const admission = limiter.admit(callOf(call));
  if (admission instanceof Promise) throw new Error('somebody was asked');
  return admission;
};
const allowed = (...calls: Partial<LimitedCall>[]) => calls.map((call) => admit(call).allowed);

test('without rules everything goes', () => {
  expect([limiter.isOn, admit()]).toMatchObject([false, { allowed: true, standings: [] }]);
});

const certificate = (sha256: string) => principal('ann', { certificate: { subject: 'CN=x', issuer: 'CN=ca', sha256 } });

test.each([
  ['subject', [{}, { principal: principal('ann') }, { principal: bob }], [true, false, true]],
  ['tool', [{}, { principal: bob }, { tool: 'other' }, { tool: undefined }], [true, false, true, true]],
  // of the same name, at another gateway
  ['tool', [{}, { gateway: { id: 'id-2', slug: 'x' } }], [true, true]],
  ['gateway', [{}, { tool: 'other', principal: bob }, { gateway: { id: 'id-2', slug: 'x' } }], [true, false, true]],
  ['address', [{}, { address: '192.0.2.2' }, { principal: bob }, { address: undefined }], [true, true, false, true]],
  [
    'address',
    [{ address: '2001:db8::1' }, { address: '2001:db8::2' }, { address: '2001:db8:0:1::2' }],
    [true, false, true],
  ],
  [
    'certificate',
    [{ principal: certificate('aa') }, { principal: certificate('bb') }, {}, {}],
    [true, true, true, true],
  ],
  ['certificate', [{ principal: certificate('aa') }, { principal: certificate('aa') }], [true, false]],
  ['subject+tool', [{}, { tool: 'other' }, { principal: bob }, {}], [true, true, true, false]],
] as const)('by %s each has a limit of its own', (per, calls, expected) => {
  limiter.use(readLimits(`${per}=1/minute`));
  expect(allowed(...calls)).toEqual(expected);
});

test('parts that are joined cannot be taken for others', () => {
  limiter.use(readLimits('subject+address=1/minute'));
  const call = (subject: string, address: string) => ({ principal: principal(subject), address });
  expect(allowed(call('a', '1.1.1.1'), call('a7:1.1.1.1', ''), call('a1.1', '.1.1'))).toEqual([true, true, true]);
});

test('a rule is about those it names, and what it names', () => {
  limiter.use(
    readLimits(
      JSON.stringify([
        {
          per: 'subject',
          rate: '1/minute',
          who: { subject: 'a*', role: 'user' },
          gateways: 'crm',
          tools: ['fi*', 'x'],
        },
      ]),
    ),
  );
  expect(allowed({}, {}, { principal: bob }, { principal: bob })).toEqual([true, false, true, true]);
  expect(allowed({ tool: 'other' }, { tool: undefined }, { gateway: undefined, tool: undefined })).toEqual([
    true,
    true,
    true,
  ]);
  expect(allowed({ principal: principal('ann', { role: 'admin' }) })).toEqual([true]);
  expect(limiter.looksAtTarget).toBe(true);
});

test('a call that one rule refuses uses nothing up of the others, and is told the longest wait', () => {
  limiter.use(readLimits('subject=10/minute; gateway=2/minute; tool=1/hour'));
  expect(allowed({}, { tool: 'other' })).toEqual([true, true]);
  const refused = admit();
  expect(refused).toMatchObject({ allowed: false, rule: { name: 'tool' }, retryInMs: 3_600_000 });
  expect(refused.standings.map(({ rule, left }) => [rule.name, left])).toEqual([
    ['subject', 8],
    ['gateway', 0],
    ['tool', 0],
  ]);
  expect(recorded.of('call.limited')).toEqual([{ rule: 'tool', subject: 'ann', gateway: 'crm', tool: 'find' }]);
});

test('as many as may be are under way at once, each until it is released, once', () => {
  limiter.use(readLimits('subject,concurrency=2'));
  const [first, second, third] = [admit(), admit(), admit()];
  expect([first.allowed, second.allowed, third.allowed]).toEqual([true, true, false]);
  expect(third).toMatchObject({ retryInMs: 1000, standings: [] });
  expect(allowed({ principal: bob })).toEqual([true]);
  for (const admission of [first, first]) if (admission.allowed) admission.release();
  expect(allowed({}, {})).toEqual([true, false]);
  expect(limiter.running).toBe(3);
});

test('a rule that stays keeps count when the others change', () => {
  limiter.use(readLimits('subject=1/minute'));
  expect(allowed({})).toEqual([true]);
  limiter.use(readLimits('subject=1/minute; gateway=9/minute'));
  expect(allowed({})).toEqual([false]);
  limiter.use(readLimits('subject=2/minute'));
  expect(allowed({})).toEqual([true]);
});
