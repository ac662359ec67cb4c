import type { EventFields, EventName, EventSink } from '../base/events.ts';
import type { LabelValues } from './metric-registry.ts';
import type { MetricName } from './metric-table.ts';
import { MetricRegistry } from './metric-registry.ts';

/** The gateway's metrics: counters fed by events, gauges read when somebody looks. */
export interface Metrics {
  readonly events: EventSink;
  /** Says where series of a gauge come from; several places may feed one gauge. */
  gauge(name: MetricName, read: () => Iterable<readonly [LabelValues, number]>): void;
  /** The Prometheus text. */
  render(): string;
}

type Feeds = { readonly [Name in EventName]?: (metrics: MetricRegistry, fields: EventFields[Name]) => void };

const FEEDS: Feeds = {
  'call.finished': (metrics, { gateway, outcome, durationMs }) =>
    metrics.observe('postern_call_duration_seconds', [gateway, outcome], durationMs / 1000),
  'upstream.failed': (metrics, { gateway, code }) => metrics.count('postern_call_failures_total', [gateway, code]),
  'upstream.drained': (metrics, { cut }) => metrics.count('postern_calls_cut_total', [], cut),
  'upstream.cut': (metrics, { gateway, why, connections }) =>
    metrics.count('postern_cut_total', ['upstream', gateway, why], connections),
  'listener.cut': (metrics, { why, connections }) =>
    metrics.count('postern_cut_total', ['listener', '', why], connections),
  'upstream.refused': (metrics, { why, connections }) =>
    metrics.count('postern_cut_total', ['upstream', '', why], connections),
  'revocation.passed': (metrics, { side }) => metrics.count('postern_revocation_passed_total', [side]),
  'upstream.removed': (metrics, { gateway }) => metrics.forget('gateway', gateway),
  'handshake.finished': (metrics, { outcome, resumed }) =>
    metrics.count('postern_handshakes_total', [outcome, String(resumed ?? false)]),
  'connection.opened': (metrics, { tls }) => metrics.count('postern_connections_opened_total', [String(tls)]),
  'context.built': (metrics) => metrics.count('postern_context_builds_total'),
  'cache.used': (metrics, { cache, outcome }) => metrics.count('postern_cache_uses_total', [cache, outcome]),
  'channel.drained': (metrics, { cut }) => metrics.count('postern_calls_cut_total', [], cut),
  'rotation.applied': (metrics, { reason, lagMs }) => {
    metrics.count('postern_rotation_total', ['applied', reason]);
    metrics.observe('postern_rotation_lag_seconds', [reason], lagMs / 1000);
  },
  'rotation.failed': (metrics, { reason }) => metrics.count('postern_rotation_total', ['failed', reason]),
  'record.refused': (metrics, { code }) => metrics.count('postern_records_refused_total', [code]),
  'caller.slowed': (metrics) => metrics.count('postern_callers_slowed_total'),
  'call.limited': (metrics, { rule }) => metrics.count('postern_calls_limited_total', [rule]),
  'request.refused': (metrics, { code }) => metrics.count('postern_requests_refused_total', [code]),
  'request.failed': (metrics, { code }) => metrics.count('postern_requests_refused_total', [code]),
};

/** Metrics that start at nothing. */
export function createMetrics(): Metrics {
  const registry = new MetricRegistry();
  return {
    events: (name, fields) => FEEDS[name]?.(registry, fields),
    gauge: (name, read) => registry.gauge(name, read),
    render: () => registry.render(),
  };
}
