import { expect, test } from 'vitest';
import { METRICS } from '../../../src/observe/metric-table.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import { MetricRegistry } from '../../../src/observe/metric-registry.ts';

const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));

test('events become counters and histograms', () => {
  const metrics = createMetrics();
  const { events } = metrics;
  events('context.built', { fingerprint: 'f', durationMs: 1 });
  events('connection.opened', { origin: 'https://a', tls: true });
  events('handshake.finished', { fingerprint: 'f', origin: 'https://a', outcome: 'ok', resumed: false });
  events('handshake.finished', { fingerprint: 'f', origin: 'https://a', outcome: 'tls_unknown_ca' });
  events('cache.used', { cache: 'channel', outcome: 'hit' });
  events('cache.used', { cache: 'channel', outcome: 'hit' });
  for (const durationMs of [0.5, 20, 100_000])
    events('call.finished', { gateway: 'time', method: 'tools/call', outcome: 'ok', durationMs });
  const text = metrics.render();
  expect(linesOf(text, 'postern_context_builds_total')).toEqual(['postern_context_builds_total 1']);
  expect(linesOf(text, 'postern_connections_opened_total')).toEqual(['postern_connections_opened_total{tls="true"} 1']);
  expect(linesOf(text, 'postern_handshakes_total')).toEqual([
    'postern_handshakes_total{outcome="ok",resumed="false"} 1',
    'postern_handshakes_total{outcome="tls_unknown_ca",resumed="false"} 1',
  ]);
  expect(linesOf(text, 'postern_cache_uses_total')).toEqual([
    'postern_cache_uses_total{cache="channel",outcome="hit"} 2',
  ]);
  const calls = linesOf(text, 'postern_call_duration_seconds');
  expect(calls).toContain('postern_call_duration_seconds_bucket{gateway="time",outcome="ok",le="0.001"} 1');
  expect(calls).toContain('postern_call_duration_seconds_bucket{gateway="time",outcome="ok",le="0.025"} 2');
  expect(calls).toContain('postern_call_duration_seconds_bucket{gateway="time",outcome="ok",le="60"} 2');
  expect(calls).toContain('postern_call_duration_seconds_bucket{gateway="time",outcome="ok",le="+Inf"} 3');
  expect(calls).toContain('postern_call_duration_seconds_count{gateway="time",outcome="ok"} 3');
  expect(calls.at(-2)).toBe('postern_call_duration_seconds_sum{gateway="time",outcome="ok"} 100.0205');
});

test('gauges are asked when somebody looks, and may have several sources', () => {
  const metrics = createMetrics();
  let days = 1;
  metrics.gauge('postern_certificate_not_after_seconds', () => [[['client', 'time', 'current'], days]]);
  metrics.gauge('postern_certificate_not_after_seconds', () => [[['listener', '', 'current'], 7]]);
  days = 2;
  expect(linesOf(metrics.render(), 'postern_certificate_not_after_seconds')).toEqual([
    'postern_certificate_not_after_seconds{role="client",gateway="time",generation="current"} 2',
    'postern_certificate_not_after_seconds{role="listener",gateway="",generation="current"} 7',
  ]);
});

test('label values cannot break out of their quotes', () => {
  const registry = new MetricRegistry();
  registry.count('postern_call_failures_total', ['a"b\\c\nd', 'ok']);
  expect(linesOf(registry.render(), 'postern_call_failures_total')).toEqual([
    String.raw`postern_call_failures_total{gateway="a\"b\\c\nd",code="ok"} 1`,
  ]);
});

test('a removed gateway leaves no series behind', () => {
  const metrics = createMetrics();
  for (const gateway of ['gone', 'kept'])
    metrics.events('call.finished', { gateway, method: 'ping', outcome: 'ok', durationMs: 1 });
  metrics.events('upstream.removed', { gateway: 'gone' });
  const text = metrics.render();
  expect(text).not.toContain('gone');
  expect(text).toContain('kept');
});

test('the number of series is bounded: what comes after shares one', () => {
  const registry = new MetricRegistry();
  for (let n = 0; n < 2100; n++) registry.count('postern_call_failures_total', [`gateway-${n}`, 'ok']);
  const lines = linesOf(registry.render(), 'postern_call_failures_total');
  expect(lines).toHaveLength(2001);
  expect(lines).toContain('postern_call_failures_total{gateway="other",code="other"} 100');
});

test('every metric says what it is, and its name says its unit', () => {
  const text = createMetrics().render();
  for (const [name, { type }] of Object.entries(METRICS)) {
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    expect(name.endsWith('_total')).toBe(type === 'counter');
  }
  expect(text.endsWith('\n')).toBe(true);
});
