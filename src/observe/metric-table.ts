/**
 * observe: what the gateway says about itself to machines and people.
 *
 * Owns metrics and the form of log lines. Must not know what an event means for the gateway, nor who reads it.
 */

/** A metric's row: its type, the labels of its series, and a line of help. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** Every metric. `gateway` is the slug; `outcome` is `ok` or an error code. */
export const METRICS = {
  postern_up: { type: 'gauge', labels: ['version'], help: '1 while the process serves' },
  postern_gateways: { type: 'gauge', labels: ['state'], help: 'Registered gateways, active and inactive' },
  postern_certificate_not_after_seconds: {
    type: 'gauge',
    labels: ['role', 'gateway', 'generation'],
    help: 'End of validity as seconds since the Unix epoch; role is client, ca, listener, client_ca or client_crl',
  },
  postern_generation: {
    type: 'gauge',
    labels: ['which'],
    help: 'Generations by number: the one serving here, and the newest that is known',
  },
  postern_rotation_total: {
    type: 'counter',
    labels: ['result', 'reason'],
    help: 'Generations this instance came to (applied) or could not come to (failed)',
  },
  postern_rotation_last_success_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the generation that serves came into force here, as seconds since the Unix epoch',
  },
  postern_rotation_lag_seconds: {
    type: 'histogram',
    labels: ['reason'],
    help: 'From writing a generation, on whichever instance, to serving it here',
  },
  postern_rotation_problems: { type: 'gauge', labels: [], help: 'What is not in force as it should be' },
  postern_crl_age_seconds: {
    type: 'gauge',
    labels: ['source'],
    help: 'Seconds since a revocation list was fetched; source is its URL',
  },
  postern_crl_next_update_seconds: {
    type: 'gauge',
    labels: ['source'],
    help: 'When a fetched revocation list is to be replaced, as seconds since the Unix epoch',
  },
  postern_revocation_failing: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Sources that say nothing current of revocation; kind is crl, ocsp or staple',
  },
  postern_revocation_passed_total: {
    type: 'counter',
    labels: ['side'],
    help: 'Connections let in unchecked, as POSTERN_REVOCATION_FAILURE=open has it; side is upstream or listener',
  },
  postern_store_up: { type: 'gauge', labels: [], help: '0 while the store cannot be read' },
  postern_upstream_up: { type: 'gauge', labels: ['gateway'], help: '1 healthy, 0 failing; absent while unknown' },
  postern_upstream_insecure_tls: {
    type: 'gauge',
    labels: ['gateway'],
    help: '1 where certificate or host name checks are switched off',
  },
  postern_breaker_state: { type: 'gauge', labels: ['gateway'], help: '0 closed, 1 half-open, 2 open' },
  postern_call_duration_seconds: {
    type: 'histogram',
    labels: ['gateway', 'outcome'],
    help: 'Requests to upstreams, from sending to the end of the answer',
  },
  postern_call_failures_total: {
    type: 'counter',
    labels: ['gateway', 'code'],
    help: 'Upstream failures outside calls as well: health, refresh, registration',
  },
  postern_connections_opened_total: { type: 'counter', labels: ['tls'], help: 'Connections opened to upstreams' },
  postern_handshakes_total: {
    type: 'counter',
    labels: ['outcome', 'resumed'],
    help: 'TLS handshakes with upstreams',
  },
  postern_context_builds_total: { type: 'counter', labels: [], help: 'TLS contexts built' },
  postern_cache_uses_total: {
    type: 'counter',
    labels: ['cache', 'outcome'],
    help: 'Uses of the channel and context caches: hit, miss, evicted, expired',
  },
  postern_draining: {
    type: 'gauge',
    labels: ['gateway'],
    help: 'Replaced upstreams whose calls and streams have not ended; absent where there are none',
  },
  postern_cut_total: {
    type: 'counter',
    labels: ['side', 'gateway', 'reason'],
    help: 'Connections cut at once; side is upstream or listener, reason trust, revoked, unknown, pin, expired or operator',
  },
  postern_calls_cut_total: { type: 'counter', labels: [], help: 'Calls cut because a drain ran out of time' },
  postern_records_refused_total: { type: 'counter', labels: ['code'], help: 'Stored records that were not accepted' },
  postern_callers_slowed_total: {
    type: 'counter',
    labels: [],
    help: 'Addresses that sent bad credentials too often, each counted once a minute',
  },
  postern_calls_limited_total: { type: 'counter', labels: ['limit'], help: 'Calls that a limit held up' },
  postern_requests_refused_total: { type: 'counter', labels: ['code'], help: 'Requests answered with an error' },
  postern_audit_up: {
    type: 'gauge',
    labels: [],
    help: '0 while records of audit cannot be kept; absent without audit',
  },
  postern_audit_lines_total: { type: 'counter', labels: [], help: 'Lines of audit that were kept' },
  postern_audit_lost_total: { type: 'counter', labels: [], help: 'Records of audit that found no room' },
} as const satisfies Readonly<Record<string, MetricRow>>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;
