import { GatewayError } from '../../base/errors.ts';
import type { Route } from '../../catalog/member.ts';
import { callerAddress } from '../../limits/caller-address.ts';
import { isHeld } from '../../limits/limiter.ts';
import type { Admission, Limiter } from '../../limits/limiter.ts';
import type { LimitedCall } from '../../limits/meter.ts';
import { isRequest, isResponse } from '../../wire/json-rpc.ts';
import type { JsonRpcMessage } from '../../wire/json-rpc.ts';
import { targetOf } from '../../wire/mcp.ts';
import { EVENTS_TYPE } from '../../wire/media-types.ts';
import type { Exchange } from './exchange.ts';
import { RATE_LIMIT, refusalHeaders, standingText } from './rate-headers.ts';

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
  if (standings.length > 0) response.headers.set(RATE_LIMIT, standingText(standings));
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

/** Anything but events is written by the time there is an answer, or as good as. */
function releasedAtEnd(response: Response, signal: Exchange['signal'], release: () => void): Response {
  if (!response.headers.get('content-type')?.startsWith(EVENTS_TYPE) || response.body === null) {
    release();
    return response;
  }
  // whoever leaves before the answer is on its way leaves a stream that nobody reads or cancels
  signal.addEventListener('abort', release, { once: true });
  if (signal.aborted) release();
  const { status, headers } = response;
  return new Response(untilEnd(response.body, release), { status, headers });
}

function untilEnd(source: ReadableStream<Uint8Array>, release: () => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          release();
          controller.close();
        } catch (error) {
          release();
          throw error;
        }
      },
      cancel(reason) {
        release();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
