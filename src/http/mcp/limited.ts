import { GatewayError } from '../../base/errors.ts';
import type { Route } from '../../catalog/member.ts';
import { callerAddress } from '../../limits/caller-address.ts';
import { isHeld } from '../../limits/limiter.ts';
import type { Admission, Limiter, Standing } from '../../limits/limiter.ts';
import type { LimitedCall } from '../../limits/meter.ts';
import { isRequest, isResponse } from '../../wire/json-rpc.ts';
import type { JsonRpcMessage } from '../../wire/json-rpc.ts';
import { targetOf } from '../../wire/mcp.ts';
import { isEventsAnswer } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { RATE_LIMIT, refusalHeaders, standingText } from './rate-headers.ts';
import { withToldEnd } from './told-end.ts';

/**
 * Whether a message is counted: what a server asked for is not, and neither is a cancellation, which makes work end.
 *
 * @param message undefined for a request to open a stream
 */
export function isCounted(limiter: Limiter, message?: JsonRpcMessage): boolean {
  if (!limiter.isOn) return false;
  return message === undefined || !(isResponse(message) || message.method === 'notifications/cancelled');
}

/**
 * Answers what is counted, if limits allow it; a stream counts as under way until it has ended.
 *
 * @throws GatewayError too_many_requests, and as `answer`
 */
export async function limited(
  limiter: Limiter,
  exchange: Exchange,
  message: JsonRpcMessage | undefined,
  answer: () => Promise<Response>,
): Promise<Response> {
  const asked = limiter.admit(callOf(limiter, exchange, message));
  const admission = asked instanceof Promise ? await asked : asked;
  if (!admission.allowed) throw tooMany(admission);
  const { release, standings } = admission;
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    release();
    throw error;
  }
  const low = standings.filter(isLow);
  if (low.length > 0) response.headers.set(RATE_LIMIT, standingText(low));
  return isHeld(admission) ? releasedAtEnd(response, exchange.signal, release) : response;
}

function callOf(limiter: Limiter, exchange: Exchange, message: JsonRpcMessage | undefined): LimitedCall {
  const { principal, request, connection } = exchange;
  const address = limiter.looksAtAddress ? callerAddress(request.headers, connection) : undefined;
  const target = limiter.looksAtTarget ? targetIn(exchange, message) : NO_TARGET;
  return { principal, address, ...target };
}

const NO_TARGET = { gateway: undefined, tool: undefined };

/** By what its gateway calls a tool, so that no alias or prefix gets around a limit. */
function targetIn({ server }: Exchange, message: JsonRpcMessage | undefined): Pick<LimitedCall, 'gateway' | 'tool'> {
  const target = message && isRequest(message) ? targetOf(message) : ({ by: 'none' } as const);
  const [only, another] = server.members;
  const alone: Route | undefined = only && another === undefined ? { member: only } : undefined;
  const route = target.by === 'none' ? alone : server.catalogue.route(target);
  if (route === undefined) return NO_TARGET;
  const tool = target.by === 'name' && target.of === 'tools' ? (route.upstreamName ?? target.value) : undefined;
  return { gateway: route.member.upstream.config, tool };
}

function tooMany({ rule, retryInMs, standings }: Admission & { readonly allowed: false }): GatewayError {
  const rpcHeaders = refusalHeaders(rule, retryInMs, standings);
  const seconds = rpcHeaders['retry-after'];
  return new GatewayError('too_many_requests', `the limit ${rule.name} is reached; try again in ${seconds} s`, {
    details: { rpcHeaders, rpcData: { limit: rule.name, retryAfterSeconds: Number(seconds) } },
  });
}

/** To write a header costs more than all the rest, so who has plenty left is not told. */
const isLow = ({ left, rule }: Standing): boolean => left * 2 <= (rule.rate?.burst ?? 0);

function releasedAtEnd(response: Response, signal: Exchange['signal'], release: () => void): Response {
  // whoever leaves before the answer is on its way leaves a stream that nobody reads or cancels
  if (isEventsAnswer(response)) signal.addEventListener('abort', release, { once: true });
  if (signal.aborted) release();
  return withToldEnd(response, () => release());
}
