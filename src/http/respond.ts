import { ERRORS } from '../base/errors.ts';
import type { ErrorCode, Stage } from '../base/errors.ts';
import { RPC } from '../wire/rpc-codes.ts';

/** How an error looks on the wire: the HTTP status of the REST API, and the number of a JSON-RPC error. */
interface WireForm {
  readonly status: number;
  readonly rpcCode: number;
}

/** JSON-RPC numbers of our own; -32020 and below belong to MCP. @see MCP 2026-07-28, basic */
const REFUSED = -32000;
const UPSTREAM_FAILED = -32010;

const form = (status: number, rpcCode: number): WireForm => ({ status, rpcCode });

/** What a stage's codes look like unless a row below says otherwise. */
const BY_STAGE: Readonly<Record<Stage, WireForm>> = {
  request: form(400, RPC.invalidRequest),
  access: form(403, REFUSED),
  config: form(422, RPC.internalError),
  store: form(500, RPC.internalError),
  vault: form(500, RPC.internalError),
  dns: form(502, UPSTREAM_FAILED),
  tcp: form(502, UPSTREAM_FAILED),
  tls: form(502, UPSTREAM_FAILED),
  http: form(502, UPSTREAM_FAILED),
  auth: form(502, UPSTREAM_FAILED),
  process: form(502, UPSTREAM_FAILED),
  protocol: form(502, UPSTREAM_FAILED),
};

/** A session id that is missing is a bad request (400), one that is unknown makes the client initialize again (404). */
const BY_CODE: { readonly [Code in ErrorCode]?: WireForm } = {
  request_too_large: form(413, RPC.invalidRequest),
  media_type_unsupported: form(415, RPC.invalidRequest),
  not_found: form(404, RPC.invalidParams),
  method_not_allowed: form(405, REFUSED),
  name_taken: form(409, REFUSED),
  gateway_inactive: form(409, REFUSED),
  refresh_running: form(409, REFUSED),
  nothing_to_promote: form(409, REFUSED),
  nothing_to_retire: form(409, REFUSED),
  nothing_to_roll_back: form(409, REFUSED),
  files_not_kept: form(409, REFUSED),
  version_stale: form(412, REFUSED),
  host_not_allowed: form(403, REFUSED),
  session_not_found: form(404, -32001),
  request_state_invalid: form(400, RPC.invalidParams),
  request_state_expired: form(400, RPC.invalidParams),
  header_mismatch: form(400, RPC.headerMismatch),
  loop_detected: form(508, REFUSED),
  protocol_version_unsupported: form(400, RPC.unsupportedVersion),
  question_unanswered: form(400, REFUSED),
  too_many_requests: form(429, REFUSED),
  bridge_busy: form(503, REFUSED),
  shutting_down: form(503, REFUSED),
  unauthenticated: form(401, REFUSED),
  token_expired: form(401, REFUSED),
  policy_locks_out: form(409, REFUSED),
  issuer_unavailable: form(503, REFUSED),
  address_refused: form(422, UPSTREAM_FAILED),
  store_unavailable: form(503, RPC.internalError),
  audit_unavailable: form(503, REFUSED),
  internal: form(500, RPC.internalError),
};

const wireForm = (code: ErrorCode): WireForm => BY_CODE[code] ?? BY_STAGE[ERRORS[code].stage];

/** The HTTP status of a code in the REST API. */
export function statusOf(code: ErrorCode): number {
  return wireForm(code).status;
}

/** The number of a code in a JSON-RPC error; the code itself goes into `error.data.code`. */
export function rpcCodeOf(code: ErrorCode): number {
  return wireForm(code).rpcCode;
}

/**
 * The HTTP status a JSON-RPC error travels with: 200 for what failed behind the gateway, since clients throw away the
 * body of other statuses.
 */
export function mcpStatusOf(code: ErrorCode): number {
  return wireForm(code).rpcCode === UPSTREAM_FAILED ? 200 : statusOf(code);
}
