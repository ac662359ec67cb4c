import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { callerFields } from '../identity/caller-fields.ts';
import type { Principal } from '../identity/principal.ts';
import { challengeOf } from '../identity/refusals.ts';
import { statusOf } from './respond.ts';

/** Problem details, with `code` and `message` beside the standard members. @see https://www.rfc-editor.org/rfc/rfc9457 */
export interface Problem {
  readonly type: string;
  /** The code in words; the same for every occurrence. */
  readonly title: string;
  readonly status: number;
  /** The same sentence as `message`. */
  readonly detail: string;
  readonly code: string;
  readonly message: string;
  readonly stage: string;
  /** True when the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error as problem details; of an unexpected one only the fact remains. */
export function problemOf(error: GatewayError): Problem {
  return {
    type: `urn:postern:error:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: statusOf(error.code),
    detail: error.message,
    code: error.code,
    message: error.message,
    stage: error.facts.stage,
    retryable: error.facts.retryable,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.details !== undefined && { details: error.details }),
  };
}

/** Where a request was refused, and who is told. */
export interface ProblemContext {
  readonly path: string;
  readonly events: EventSink;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it is known. */
  readonly caller?: Principal | undefined;
  /** Where the resource says who issues tokens for it. */
  readonly metadata?: string | undefined;
}

const isChallenge = ({ code }: GatewayError, { status }: Problem): boolean =>
  status === 401 || code === 'insufficient_scope';

/**
 * Anything thrown, as an answer with problem details; what the caller or an upstream did not cause is reported to `events`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3 for the challenge of a 401, and of a 403 for want of scope
 */
export function problemAnswer(
  thrown: unknown,
  { path, events, headers = {}, caller, metadata }: ProblemContext,
): Response {
  const error = toGatewayError(thrown);
  const problem = problemOf(error);
  if (problem.status === 500) events('request.failed', { code: error.code, path, message: traceOf(error) });
  else
    events('request.refused', {
      code: error.code,
      path,
      ...(caller && { caller: callerFields(caller), message: error.message }),
    });
  return Response.json(problem, {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...retryHeaderOf(error),
      ...(isChallenge(error, problem) && { 'www-authenticate': challengeOf(error, metadata) }),
      ...headers,
    },
  });
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryHeaderOf({ details }: GatewayError): Readonly<Record<string, string>> {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' ? { 'retry-after': String(seconds) } : {};
}

/** Where an unexpected error came from, without its message: that may quote what a caller sent. */
function traceOf(error: GatewayError): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const place = cause.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return `${error.message}: ${cause.name}${place === undefined ? '' : ` ${place.trim()}`}`;
}
