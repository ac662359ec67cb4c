/**
 * base: what every room needs and none owns.
 *
 * Errors, events, ids, bytes, time, secrets, and what holds shared work together. Must not know anything of MCP, TLS or
 * HTTP.
 *
 * Adding an error code: a row here, a test, a line in the docs. Messages are lower case without a full stop and never carry
 * a token, key, PEM, header bag or body. Only `http/respond.ts` knows HTTP statuses and JSON-RPC numbers.
 */

/** Who must act. */
export type Actor = 'caller' | 'operator' | 'upstream' | 'gateway';

/**
 * The layer a failure belongs to; `dns`, `tcp`, `tls`, `http`, `auth` and `protocol` are what a dial can report,
 * `process` what a program started here can.
 */
export type Stage =
  | 'request'
  | 'access'
  | 'config'
  | 'store'
  | 'vault'
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'http'
  | 'auth'
  | 'process'
  | 'protocol';

interface ErrorFacts {
  readonly actor: Actor;
  readonly stage: Stage;
  /** True when the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

const row = (actor: Actor, stage: Stage, retryable = false): ErrorFacts => ({ actor, stage, retryable });

/** Every code, with who must act, where it happened and whether trying again can help. */
export const ERRORS = {
  // what a caller sent
  request_invalid: row('caller', 'request'),
  request_too_large: row('caller', 'request'),
  media_type_unsupported: row('caller', 'request'),
  not_found: row('caller', 'request'),
  method_not_allowed: row('caller', 'request'),
  name_taken: row('caller', 'request'),
  version_stale: row('caller', 'request'),
  host_not_allowed: row('caller', 'request'),
  session_not_found: row('caller', 'request'),
  request_state_invalid: row('caller', 'request'),
  request_state_expired: row('caller', 'request'),
  header_mismatch: row('caller', 'request'),
  loop_detected: row('operator', 'request'),
  protocol_version_unsupported: row('caller', 'request'),
  gateway_inactive: row('caller', 'request'),
  refresh_running: row('caller', 'request', true),
  nothing_to_promote: row('operator', 'request'),
  nothing_to_retire: row('operator', 'request'),
  nothing_to_roll_back: row('operator', 'request'),
  files_not_kept: row('operator', 'request'),
  too_many_requests: row('caller', 'request', true),
  call_cancelled: row('caller', 'request'),
  question_unanswered: row('caller', 'request'),
  bridge_busy: row('gateway', 'request', true),
  shutting_down: row('gateway', 'request', true),
  // who called
  unauthenticated: row('caller', 'access'),
  token_expired: row('caller', 'access'),
  forbidden: row('caller', 'access'),
  policy_locks_out: row('operator', 'access'),
  insufficient_scope: row('caller', 'access'),
  issuer_unavailable: row('upstream', 'access', true),
  // what an operator configured
  config_invalid: row('operator', 'config'),
  capability_unsupported: row('operator', 'config'),
  insecure_tls_refused: row('operator', 'config'),
  url_refused: row('operator', 'config'),
  file_refused: row('operator', 'config'),
  feature_unsupported: row('operator', 'config'),
  import_unreadable: row('operator', 'config'),
  certificate_unreadable: row('operator', 'config'),
  certificate_missing: row('operator', 'config'),
  certificate_expired: row('operator', 'config'),
  certificate_not_yet_valid: row('operator', 'config'),
  certificate_wrong_purpose: row('operator', 'config'),
  chain_broken: row('operator', 'config'),
  key_missing: row('operator', 'config'),
  key_unreadable: row('operator', 'config'),
  key_passphrase_wrong: row('operator', 'config'),
  key_mismatch: row('operator', 'config'),
  binding_not_found: row('operator', 'config'),
  ca_unreadable: row('operator', 'config'),
  ca_not_a_ca: row('operator', 'config'),
  ca_expired: row('operator', 'config'),
  crl_unreadable: row('operator', 'config'),
  crl_missing: row('operator', 'config'),
  crl_not_current: row('operator', 'config'),
  crl_unavailable: row('operator', 'config', true),
  pin_invalid: row('operator', 'config'),
  command_not_allowed: row('operator', 'config'),
  command_not_found: row('operator', 'config'),
  command_not_executable: row('operator', 'config'),
  // storage and vault
  store_unavailable: row('gateway', 'store', true),
  audit_unavailable: row('operator', 'store', true),
  record_invalid: row('operator', 'store'),
  record_tampered: row('operator', 'store'),
  record_newer: row('operator', 'store'),
  vault_key_unknown: row('operator', 'vault'),
  vault_open_failed: row('operator', 'vault'),
  vault_key_invalid: row('operator', 'vault'),
  vault_key_not_held: row('operator', 'vault'),
  vault_rotation_contended: row('gateway', 'vault', true),
  // dialling an upstream
  dns_not_found: row('upstream', 'dns', true),
  address_refused: row('operator', 'dns'),
  tcp_refused: row('upstream', 'tcp', true),
  tcp_unreachable: row('upstream', 'tcp', true),
  connect_timeout: row('upstream', 'tcp', true),
  connection_lost: row('upstream', 'tcp', true),
  channel_closed: row('gateway', 'tcp', true),
  connection_cut: row('gateway', 'tcp', true),
  drain_timeout: row('gateway', 'tcp', true),
  identity_withdrawn: row('gateway', 'tls', true),
  tls_unknown_ca: row('operator', 'tls'),
  tls_server_expired: row('upstream', 'tls'),
  tls_server_not_yet_valid: row('upstream', 'tls'),
  tls_server_wrong_host: row('operator', 'tls'),
  tls_server_wrong_purpose: row('upstream', 'tls'),
  tls_server_revoked: row('upstream', 'tls'),
  tls_crl_unusable: row('operator', 'tls'),
  ocsp_unavailable: row('operator', 'tls', true),
  tls_pin_mismatch: row('upstream', 'tls'),
  tls_client_certificate_required: row('operator', 'tls'),
  tls_client_certificate_untrusted: row('operator', 'tls'),
  tls_client_certificate_expired: row('operator', 'tls'),
  tls_client_certificate_revoked: row('operator', 'tls'),
  tls_client_certificate_refused: row('operator', 'tls'),
  tls_version_unsupported: row('upstream', 'tls'),
  tls_not_spoken: row('operator', 'tls'),
  tls_handshake_failed: row('upstream', 'tls'),
  // starting an upstream
  process_not_started: row('gateway', 'process', true),
  process_exited: row('upstream', 'process', true),
  process_limit_reached: row('gateway', 'process', true),
  // speaking to an upstream
  upstream_http_status: row('upstream', 'http', true),
  upstream_redirect: row('operator', 'http'),
  upstream_auth_refused: row('operator', 'auth'),
  upstream_protocol: row('upstream', 'protocol'),
  upstream_timeout: row('upstream', 'http', true),
  upstream_too_large: row('upstream', 'http'),
  upstream_headers_too_large: row('upstream', 'http'),
  upstream_unavailable: row('upstream', 'http', true),
  upstream_session_lost: row('upstream', 'protocol', true),
  internal: row('gateway', 'request'),
} as const satisfies Record<string, ErrorFacts>;

/** A code of the table. */
export type ErrorCode = keyof typeof ERRORS;

/** What an error says beside its message. */
export interface GatewayErrorOptions {
  /** What the person who must act should do, in words. */
  readonly hint?: string;
  /** Safe facts for machines: names, dates, counts. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class of the project; `code` is stable and documented, `message` is for people. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  get facts(): ErrorFacts {
    return ERRORS[this.code];
  }
}

/** Anything thrown, as a GatewayError: ours unchanged, others as `internal` with the original as cause. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError('internal', 'something went wrong inside the gateway', { cause: error });
}
