import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import { PRODUCT } from '../base/product.ts';
import type { Era } from '../wire/eras.ts';
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS, META, MODERN_VERSION } from '../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../wire/headers.ts';
import { RPC } from '../wire/rpc-codes.ts';
import type { LegacyFacts, ModernFacts, UpstreamFacts } from './facts.ts';
import {
  ask,
  discard,
  legacyNotification,
  legacyRequest,
  modernRequest,
  refusalOf,
  type Answer,
  type Params,
  type Send,
} from './own-request.ts';

/** A legacy session of the gateway's own, initialized. */
export interface OpenedSession {
  readonly facts: LegacyFacts;
  /** What requests in it carry: the protocol version, and the session id where the upstream keeps sessions. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Why an era is not known to be spoken. */
export interface NotSpoken {
  readonly status: number;
  /** True when the answer leaves it open: it came from a failing server, not from one of the other era. */
  readonly undecided: boolean;
  /** The JSON-RPC error number, where there was one. */
  readonly rpcCode: number | undefined;
}

/** An era that was not to be asked for. */
export const NOT_ASKED: NotSpoken = { status: 0, undecided: false, rpcCode: undefined };

/** When each era was asked for; an answer that left it open leaves the earlier verdict, and its date. */
export function verdictsOf(
  asked: Readonly<Record<Era, OpenedSession | ModernFacts | NotSpoken>>,
  now: string,
  earlier: Pick<UpstreamFacts, 'probedAt'> | undefined,
): NonNullable<UpstreamFacts['probedAt']> {
  const dates = (['modern', 'legacy'] as const).flatMap((era) => {
    const outcome = asked[era];
    if (outcome === NOT_ASKED) return [];
    const isOpen = 'undecided' in outcome && outcome.undecided;
    const date = isOpen ? (earlier?.probedAt?.[era] ?? now) : now;
    return [[era, date] as const];
  });
  return Object.fromEntries(dates);
}

/** JSON-RPC errors. @see MCP 2026-07-28, basic */
/** A lost session, mismatching headers, a missing capability: these say nothing about eras. */
const NO_EVIDENCE = new Set([-32001, RPC.headerMismatch, RPC.missingCapability]);

/**
 * Asks whether the upstream speaks the modern era. Refused credentials and redirects are never evidence and throw.
 *
 * @throws GatewayError upstream_auth_refused, upstream_redirect, and dial codes
 */
export async function discover(send: Send, signal: AbortSignal): Promise<ModernFacts | NotSpoken> {
  const request = () => ask(send, modernRequest(0, 'server/discover', {}), signal);
  let answer = await request();
  if (supportsOurVersion(answer)) answer = await request();
  throwUnlessEvidence(answer);
  return modernFacts(answer) ?? notSpoken(answer);
}

/** Some servers refuse the first request of a version they list as supported. */
function supportsOurVersion({ message }: Answer): boolean {
  if (message === undefined || !('error' in message) || message.error.code !== RPC.unsupportedVersion) return false;
  const supported = (message.error.data as { readonly supported?: unknown } | undefined)?.supported;
  return Array.isArray(supported) && supported.includes(MODERN_VERSION);
}

function modernFacts({ message }: Answer): ModernFacts | undefined {
  if (message === undefined || !('result' in message)) return undefined;
  const { supportedVersions, capabilities, instructions, _meta } = message.result;
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION)) return undefined;
  return {
    supportedVersions: supportedVersions.filter((version) => typeof version === 'string'),
    ...commonFacts(capabilities, instructions, asFields(_meta)?.[META.serverInfo]),
  };
}

/**
 * Opens a legacy session, or learns that the upstream has none to offer.
 *
 * @param declared what the upstream may ask of its client; without it nothing, and the session is for many callers
 * @throws GatewayError upstream_auth_refused, upstream_redirect, upstream_protocol for a version we do not know, and
 * dial codes
 */
export async function initialize(
  send: Send,
  signal: AbortSignal,
  declared?: Params,
): Promise<OpenedSession | NotSpoken> {
  const params = { protocolVersion: LATEST_LEGACY_VERSION, capabilities: declared ?? {}, clientInfo: PRODUCT };
  const request = legacyRequest(0, 'initialize', params, {});
  const answer = await ask(send, declared === undefined ? { ...request, shared: true } : request, signal);
  throwUnlessEvidence(answer);
  const { message } = answer;
  if (message === undefined || !('result' in message)) return notSpoken(answer);
  const { protocolVersion, capabilities, instructions, serverInfo } = message.result;
  if (typeof protocolVersion !== 'string' || !LEGACY_VERSIONS.includes(protocolVersion))
    throw new GatewayError(
      'upstream_protocol',
      'the upstream answered initialize with a protocol version we do not know',
      {
        hint: `this gateway speaks ${[MODERN_VERSION, ...LEGACY_VERSIONS].join(', ')}`,
      },
    );
  const sessionId = answer.headers[SESSION_ID];
  const headers = {
    [PROTOCOL_VERSION]: protocolVersion,
    ...(sessionId !== undefined && { [SESSION_ID]: sessionId }),
  };
  const accepted = await send({ ...legacyNotification('notifications/initialized', headers), signal });
  await discard(accepted);
  const refusal = refusalOf(accepted);
  if (refusal) throw refusal;
  return { facts: { protocolVersion, ...commonFacts(capabilities, instructions, serverInfo) }, headers };
}

function throwUnlessEvidence(answer: Answer): void {
  const refusal = refusalOf(answer);
  if (refusal && refusal.code !== 'upstream_http_status') throw refusal;
}

function notSpoken({ status, message }: Answer): NotSpoken {
  const rpcCode = message !== undefined && 'error' in message ? message.error.code : undefined;
  const undecided = status >= 500 || (rpcCode !== undefined && NO_EVIDENCE.has(rpcCode));
  return { status, undecided, rpcCode };
}

function commonFacts(capabilities: unknown, instructions: unknown, serverInfo: unknown) {
  const info = asFields(serverInfo);
  return {
    capabilities: asFields(capabilities) ?? {},
    ...(typeof instructions === 'string' && { instructions }),
    ...(info && { serverInfo: info }),
  };
}
