import { GatewayError } from '../base/errors.ts';
import type { UpstreamFacts } from './facts.ts';
import { listAll } from './list-all.ts';
import { ask, legacyRequest, messageOf, modernRequest, refusalOf, type Params, type Send } from './own-request.ts';
import { discover, initialize, type NotSpoken, type OpenedSession } from './probe-eras.ts';
import type { TransportChoice } from './upstream-config.ts';

export interface ConnectOptions {
  readonly choice: TransportChoice;
  readonly streamableHttp: Send;
  readonly sse: Send;
  /** What an earlier connect learned; kept where this one leaves an era undecided. */
  readonly earlier: UpstreamFacts | undefined;
  /** ISO 8601. */
  readonly now: string;
  /** Ends the whole of it. */
  readonly signal: AbortSignal;
}

export interface Connected {
  readonly facts: UpstreamFacts;
  /** The legacy session opened on the way, if the upstream speaks that era. */
  readonly session: OpenedSession | undefined;
}

type Spoken = Pick<UpstreamFacts, 'transport' | 'modern' | 'legacy'> & { readonly session: OpenedSession | undefined };

/** Statuses by which a server that only knows HTTP+SSE answers a POST. @see MCP 2025-11-25, transports, backwards compatibility */
const NO_STREAMABLE_HTTP = new Set([400, 404, 405]);

/**
 * Learns the transport and the eras of an upstream and lists everything it offers.
 *
 * @throws GatewayError upstream_protocol, upstream_auth_refused, upstream_redirect, upstream_http_status,
 * upstream_too_large, upstream_timeout, and dial codes
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { session, ...spoken } = await resolveTransport(options);
  const send = spoken.transport === 'sse' ? options.sse : options.streamableHttp;
  const listing = await listVia(send, spoken, session, options.signal);
  return { session, facts: { ...spoken, listing, listedAt: options.now } };
}

async function resolveTransport(options: ConnectOptions): Promise<Spoken> {
  const { choice } = options;
  if (choice === 'sse') return speakSse(options);
  const spoken = await speakStreamableHttp(options);
  if (!('status' in spoken)) return spoken;
  if (choice === 'auto' && NO_STREAMABLE_HTTP.has(spoken.status)) {
    try {
      return await speakSse(options);
    } catch (cause) {
      throw noMcp(spoken, cause);
    }
  }
  throw noMcp(spoken);
}

async function speakStreamableHttp({ streamableHttp, earlier, signal }: ConnectOptions): Promise<Spoken | NotSpoken> {
  const modern = await discover(streamableHttp, signal);
  const legacy = await initialize(streamableHttp, signal);
  if ('status' in modern && 'status' in legacy) return modern.status >= 500 ? modern : legacy;
  const modernFacts = 'status' in modern ? (modern.undecided ? earlier?.modern : undefined) : modern;
  const legacyFacts = 'status' in legacy ? (legacy.undecided ? earlier?.legacy : undefined) : legacy.facts;
  return {
    transport: 'streamable-http',
    ...(modernFacts && { modern: modernFacts }),
    ...(legacyFacts && { legacy: legacyFacts }),
    session: 'status' in legacy ? undefined : legacy,
  };
}

async function speakSse({ sse, signal }: ConnectOptions): Promise<Spoken> {
  const session = await initialize(sse, signal);
  if ('status' in session) throw noMcp(session);
  return { transport: 'sse', legacy: session.facts, session };
}

function noMcp({ status, rpcCode }: NotSpoken, sseFailure?: unknown): GatewayError {
  const failure = refusalOf({ status, headers: {} });
  if (failure) return failure;
  // the event stream was our second guess: a refusal there that names somebody to act is the better news
  if (sseFailure instanceof GatewayError && sseFailure.facts.stage !== 'protocol') return sseFailure;
  const met = rpcCode === undefined ? `status ${status}` : `status ${status} and error ${rpcCode}`;
  const both = sseFailure === undefined ? '' : ', and a GET opened no event stream';
  return new GatewayError('upstream_protocol', `expected an answer to initialize, met ${met}${both}`, {
    hint: 'check the path of the URL, and the transport of this gateway if it is set',
    details: { status },
    cause: sseFailure,
  });
}

function listVia(send: Send, spoken: Omit<Spoken, 'session'>, session: OpenedSession | undefined, signal: AbortSignal) {
  let lastId = 0;
  const { modern, legacy } = spoken;
  const build = (method: string, params: Params) =>
    modern ? modernRequest(++lastId, method, params) : legacyRequest(++lastId, method, params, session?.headers ?? {});
  return listAll(modern?.capabilities ?? legacy?.capabilities ?? {}, async (method, params) =>
    messageOf(await ask(send, build(method, params), signal), method),
  );
}
