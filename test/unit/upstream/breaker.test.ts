import { expect, test } from 'vitest';
import { GatewayError, type ErrorCode } from '../../../src/base/errors.ts';
import { Breaker, countsAgainstUpstream } from '../../../src/upstream/breaker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const REASON = { code: 'tcp_refused', message: 'nobody listens' } as const;

function openBreaker(random = () => 1) {
  const clock = new ManualClock();
  const breaker = new Breaker(clock, random);
  for (let failures = 1; failures < 5; failures++) expect(breaker.failed(REASON)).toBe(false);
  expect(breaker.state).toBe('closed');
  expect(breaker.failed(REASON)).toBe(true);
  return { clock, breaker };
}

const refused = expect.objectContaining({
  code: 'upstream_unavailable',
  message: expect.stringContaining('nobody listens'),
});

test('five failures in a row open it; an answer in between starts the count again', () => {
  const { breaker } = openBreaker();
  expect(breaker.state).toBe('open');
  expect(() => breaker.admit()).toThrow(refused);
  const counted = new Breaker(new ManualClock(), () => 1);
  for (let round = 0; round < 20; round++) {
    counted.failed(REASON);
    if (round % 4 === 3) counted.succeeded();
  }
  expect(counted.state).toBe('closed');
});

test('after its pause one trial goes, and decides', () => {
  const { clock, breaker } = openBreaker();
  clock.advance(999);
  expect(() => breaker.admit()).toThrow(refused);
  clock.advance(1);
  expect(breaker.state).toBe('half-open');
  breaker.admit();
  expect(() => breaker.admit()).toThrow(refused);
  breaker.succeeded();
  expect(breaker).toMatchObject({ state: 'closed', consecutiveFailures: 0 });
  breaker.admit();
});

test('each failed trial doubles the pause, up to a minute', () => {
  const { clock, breaker } = openBreaker();
  const pausesMs = [];
  for (let trial = 0; trial < 8; trial++) {
    pausesMs.push(breaker.retryInMs);
    clock.advance(breaker.retryInMs);
    breaker.admit();
    expect(breaker.failed(REASON)).toBe(true);
  }
  expect(pausesMs).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('the pause is shortened by up to half, at random', () => {
  expect(openBreaker(() => 0).breaker.retryInMs).toBe(500);
  expect(openBreaker(() => 0.5).breaker.retryInMs).toBe(750);
});

test('a trial whose caller went away leaves room for another', () => {
  const { clock, breaker } = openBreaker();
  clock.advance(1000);
  breaker.admit();
  breaker.abandoned();
  breaker.admit();
});

test('calls that were under way when it opened do not lengthen the pause', () => {
  const { breaker } = openBreaker();
  expect(breaker.failed(REASON)).toBe(false);
  expect(breaker.retryInMs).toBe(1000);
});

test('only what the upstream could not do counts against it', () => {
  const counts = (code: ErrorCode, details: Record<string, unknown> = {}) =>
    countsAgainstUpstream(new GatewayError(code, 'x', { details }));
  for (const code of [
    'dns_not_found',
    'tcp_refused',
    'connect_timeout',
    'connection_lost',
    'tls_unknown_ca',
    'upstream_timeout',
  ] as const)
    expect(counts(code), code).toBe(true);
  for (const code of [
    'call_cancelled',
    'channel_closed',
    'request_invalid',
    'upstream_auth_refused',
    'config_invalid',
  ] as const)
    expect(counts(code), code).toBe(false);
  expect(counts('upstream_http_status', { status: 500 })).toBe(true);
  expect(counts('upstream_http_status', { status: 429 })).toBe(false);
});
