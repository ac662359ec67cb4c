import type { CancelSignal } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { Fields } from '../../../base/fields.ts';
import { legacyServerCapabilities } from '../../../bridge/legacy-to-modern/legacy-client.ts';
import type { LegacySession, UpstreamSession } from '../../../session/legacy-session.ts';
import { withDeadline } from '../../../upstream/deadline.ts';
import type { Upstream } from '../../../upstream/upstream.ts';
import { ASSUMED_LEGACY_VERSION, LEGACY_VERSIONS } from '../../../wire/eras.ts';
import { PROTOCOL_VERSION, SESSION_ID } from '../../../wire/headers.ts';
import type { JsonRpcResponse } from '../../../wire/json-rpc.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { finalMessage } from '../final-message.ts';
import { legacyHeaders } from '../upstream-headers.ts';

/** The upstream's answer to an initialize, and the session it opened; none where the answer is an error. */
export interface Initialized {
  readonly answer: JsonRpcResponse;
  readonly session: UpstreamSession | undefined;
}

/** Longer ids would make the caller's own, in which they are sealed, too long for a header. */
const SESSION_ID_CHARS = 1024;

/**
 * Initializes one upstream for a caller.
 *
 * @param signal ends the attempt early
 * @throws GatewayError dial codes, upstream_timeout, upstream_protocol for an answer no session can be made of
 */
export function initializeUpstream(
  { clock }: McpServices,
  { request, grant }: Exchange,
  upstream: Upstream,
  text: string,
  signal?: CancelSignal,
): Promise<Initialized> {
  const protocolVersion = request.headers.get(PROTOCOL_VERSION) ?? ASSUMED_LEGACY_VERSION;
  const { [PROTOCOL_VERSION]: _, ...headers } = legacyHeaders(request, upstream, { id: '', protocolVersion });
  return withDeadline(clock, MEMBER_DEADLINE_MS, signal, async (deadline) => {
    const sent = { method: 'POST', headers, body: text, signal: deadline, mcpMethod: 'initialize' } as const;
    const response = await upstream.send(grant, sent);
    const answer = await finalMessage(response);
    const id = response.headers[SESSION_ID] ?? '';
    return { answer, session: 'result' in answer ? sessionOf(id, answer.result) : undefined };
  });
}

function sessionOf(id: string, { protocolVersion }: Fields): UpstreamSession {
  if (typeof protocolVersion !== 'string' || !LEGACY_VERSIONS.includes(protocolVersion))
    throw new GatewayError('upstream_protocol', 'the upstream agreed to a protocol version that does not exist');
  if (id.length > SESSION_ID_CHARS)
    throw new GatewayError(
      'upstream_protocol',
      `expected a session id of at most ${SESSION_ID_CHARS} characters from the upstream, met ${id.length}`,
    );
  return { id, protocolVersion };
}

/** Until an upstream was reached nobody knows what it speaks, so it is asked. */
export function speaksLegacy({ facts }: Upstream): boolean {
  return facts === undefined || facts.legacy !== undefined;
}

/** Whether an upstream has something to do with a session: it was initialized in it, or needs no such thing. */
export function takesPart(session: LegacySession, upstream: Upstream): boolean {
  return !speaksLegacy(upstream) || session.upstream(upstream.config.id) !== undefined;
}

/**
 * What an upstream of the modern era only would have answered to an initialize.
 *
 * @see MCP 2025-11-25, lifecycle
 */
export function bridgedInitialize({ config, facts }: Upstream, protocolVersion: string): Fields {
  const { capabilities = {}, serverInfo, instructions } = facts?.modern ?? {};
  return {
    protocolVersion,
    capabilities: legacyServerCapabilities(capabilities),
    serverInfo: { name: config.name, version: 'unknown', ...serverInfo },
    ...(instructions !== undefined && { instructions }),
  };
}
