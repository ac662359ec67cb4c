import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { withDeadline } from './deadline.ts';
import type { UpstreamFacts } from './facts.ts';
import { keptListing } from './kept-listing.ts';
import { listAll } from './list-all.ts';
import { ask, legacyRequest, messageOf, modernRequest, refusalOf, type Params, type Send } from './own-request.ts';
import { discover, initialize, NOT_ASKED, verdictsOf, type NotSpoken, type OpenedSession } from './probe-eras.ts';
import { speakStdio } from './stdio/stdio-eras.ts';
import type { ProtocolEra } from './upstream-config.ts';
import { wayOf } from './ways.ts';
import type { Ways } from './ways.ts';

export interface ConnectOptions {
  readonly ways: Ways<Send>;
  readonly era: ProtocolEra;
  readonly clock: Clock;
  /** What an earlier connect learned; kept where this one leaves an era undecided. */
  readonly earlier: UpstreamFacts | undefined;
  /** Ends the whole of it. */
  readonly signal: AbortSignal;
}

interface Attempt extends ConnectOptions {
  /** ISO 8601. */
  readonly now: string;
}

export interface Connected {
  readonly facts: UpstreamFacts;
  /** The legacy session opened on the way, if the upstream speaks that era. */
  readonly session: OpenedSession | undefined;
}

type Spoken = Pick<UpstreamFacts, 'transport' | 'modern' | 'legacy' | 'probedAt'> & {
  readonly session: OpenedSession | undefined;
};

const TIMEOUT_MS = 60_000;

/** Statuses by which a server that only knows HTTP+SSE answers a POST. @see MCP 2025-11-25, transports, backwards compatibility */
const NO_STREAMABLE_HTTP = new Set([400, 404, 405]);

/**
 * Learns the transport and the eras of an upstream and lists everything it offers, within a minute.
 *
 * @throws GatewayError upstream_protocol, upstream_auth_refused, upstream_redirect, upstream_http_status,
 * upstream_too_large, upstream_timeout, and dial codes
 */
export function connect(options: ConnectOptions): Promise<Connected> {
  const { clock } = options;
  const now = new Date(clock.nowMs()).toISOString();
  return withDeadline(clock, TIMEOUT_MS, options.signal, (signal) => attempt({ ...options, now, signal }));
}

async function attempt(options: Attempt): Promise<Connected> {
  const { ways } = options;
  const { session, ...spoken } = await (ways.kind === 'stdio'
    ? speakStdio(ways.stdio, options)
    : resolveTransport(ways, options));
  const { now, earlier: before } = options;
  const send = wayOf(ways, spoken.transport);
  const listed = await listVia(send, spoken, session, options.signal);
  const kept = keptListing({ listed, era: spoken.modern ? 'modern' : 'legacy', now, before });
  return { session, facts: { ...spoken, ...kept, listedAt: now } };
}

type HttpWays = Extract<Ways<Send>, { readonly kind: 'http' }>;

async function resolveTransport({ choice, streamableHttp, sse }: HttpWays, options: Attempt): Promise<Spoken> {
  if (choice === 'sse') return speakSse(sse, options);
  const spoken = await speakStreamableHttp(streamableHttp, options);
  if (!('status' in spoken)) return spoken;
  // HTTP+SSE is of the legacy era
  if (choice === 'auto' && options.era !== 'modern' && NO_STREAMABLE_HTTP.has(spoken.status)) {
    try {
      const { probedAt, ...found } = await speakSse(sse, options);
      return { ...found, probedAt: { ...probedAt, ...(options.era === 'auto' && { modern: options.now }) } };
    } catch (cause) {
      throw noMcp(spoken, options.era, cause);
    }
  }
  throw noMcp(spoken, options.era);
}

async function speakStreamableHttp(send: Send, { era, earlier, now, signal }: Attempt): Promise<Spoken | NotSpoken> {
  const modern = era === 'legacy' ? NOT_ASKED : await discover(send, signal);
  const legacy = era === 'modern' ? NOT_ASKED : await initializeBeside(modern, send, signal);
  if ('status' in modern && 'status' in legacy) return era === 'modern' || modern.status >= 500 ? modern : legacy;
  const modernFacts = 'status' in modern ? (modern.undecided ? earlier?.modern : undefined) : modern;
  const legacyFacts = 'status' in legacy ? (legacy.undecided ? earlier?.legacy : undefined) : legacy.facts;
  return {
    transport: 'streamable-http',
    ...(modernFacts && { modern: modernFacts }),
    ...(legacyFacts && { legacy: legacyFacts }),
    probedAt: verdictsOf({ modern, legacy }, now, earlier),
    session: 'status' in legacy ? undefined : legacy,
  };
}

/** One that speaks the modern era need not have the older handshake right: nonsense there only means that it does not speak it. */
async function initializeBeside(
  modern: object | NotSpoken,
  send: Send,
  signal: AbortSignal,
): Promise<OpenedSession | NotSpoken> {
  try {
    return await initialize(send, signal);
  } catch (error) {
    const isNonsense = error instanceof GatewayError && error.code === 'upstream_protocol';
    if (!isNonsense || 'status' in modern) throw error;
    return { status: 200, undecided: false, rpcCode: undefined };
  }
}

async function speakSse(send: Send, { now, signal }: Attempt): Promise<Spoken> {
  const session = await initialize(send, signal);
  if ('status' in session) throw noMcp(session, 'legacy');
  return { transport: 'sse', legacy: session.facts, probedAt: { legacy: now }, session };
}

function noMcp({ status, rpcCode }: NotSpoken, era: ProtocolEra, sseFailure?: unknown): GatewayError {
  const failure = refusalOf({ status, headers: {} });
  if (failure) return failure;
  // the event stream was our second guess: a refusal there that names somebody to act is the better news
  if (sseFailure instanceof GatewayError && sseFailure.facts.stage !== 'protocol') return sseFailure;
  const met = rpcCode === undefined ? `status ${status}` : `status ${status} and error ${rpcCode}`;
  const both = sseFailure === undefined ? '' : ', and a GET opened no event stream';
  const asked = era === 'modern' ? 'server/discover' : 'initialize';
  return new GatewayError('upstream_protocol', `expected an answer to ${asked}, met ${met}${both}`, {
    hint: 'check the path of the URL, and transport and protocol_era of this gateway if they are set',
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
