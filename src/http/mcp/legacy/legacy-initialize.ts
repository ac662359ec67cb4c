import { GatewayError } from '../../../base/errors.ts';
import { asFields } from '../../../base/fields.ts';
import { mergeCapabilities, mergeInstructions } from '../../../catalog/merge.ts';
import type { Member } from '../../../catalog/member.ts';
import type { UpstreamSession } from '../../../session/legacy-session.ts';
import { withDeadline } from '../../../upstream/deadline.ts';
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS } from '../../../wire/eras.ts';
import { SESSION_ID } from '../../../wire/headers.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { resultAnswer } from '../answers.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { joinedCapabilities } from '../lists/joined-capabilities.ts';
import { bridgedInitialize, initializeUpstream, speaksLegacy } from './upstream-initialize.ts';
import type { Initialized } from './upstream-initialize.ts';

interface Opened extends Initialized {
  readonly member: Member;
}

/** Opens a legacy session: one with each upstream of the address, and one sealed around them for the caller. */
export async function initialize(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
): Promise<Response> {
  const { server } = exchange;
  const [first] = server.members;
  if (server.transparent && first) return initializeTransparent(services, exchange, request, first);

  const attempts = server.members.map((member) => open(services, exchange, request, member));
  const opened = (await Promise.allSettled(attempts)).flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  );
  const results = opened.flatMap(({ member, answer }) =>
    'result' in answer ? [{ member, result: answer.result }] : [],
  );
  if (attempts.length > 0 && results.length === 0)
    throw new GatewayError('upstream_unavailable', `none of the ${attempts.length} upstreams could be initialized`);

  const instructions = mergeInstructions(
    results.map(({ member, result }) => ({ name: member.upstream.config.name, instructions: result['instructions'] })),
  );
  const sessionId = await seal(services, exchange, request, opened);
  return resultAnswer(
    request.id,
    {
      protocolVersion: negotiated(request),
      capabilities: joinedCapabilities(
        mergeCapabilities(results.map(({ result }) => asFields(result['capabilities']) ?? {})),
      ),
      serverInfo: services.serverInfo,
      ...(instructions !== undefined && { instructions }),
    },
    { [SESSION_ID]: sessionId },
  );
}

async function initializeTransparent(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  member: Member,
): Promise<Response> {
  const opened = await open(services, exchange, request, member);
  if ('error' in opened.answer) return Response.json({ ...opened.answer, id: request.id });
  const sessionId = await seal(services, exchange, request, [opened]);
  return resultAnswer(request.id, opened.answer.result, { [SESSION_ID]: sessionId });
}

/** An upstream behind the bridge is not asked: what it can do is known, and it keeps no sessions. */
async function open(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  member: Member,
): Promise<Opened> {
  const { text, signal, grant } = exchange;
  const { upstream } = member;
  if (upstream.facts === undefined)
    await withDeadline(services.clock, MEMBER_DEADLINE_MS, signal, (ends) => upstream.connect(grant, ends));
  if (speaksLegacy(upstream))
    return { member, ...(await initializeUpstream(services, exchange, upstream, text, signal)) };
  const result = bridgedInitialize(upstream, negotiated(request));
  return { member, answer: { jsonrpc: '2.0', id: request.id, result }, session: undefined };
}

async function seal(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  opened: readonly Opened[],
): Promise<string> {
  const upstreams: Record<string, UpstreamSession> = {};
  for (const { member, session } of opened) if (session) upstreams[member.upstream.config.id] = session;
  const { principal, server } = exchange;
  const session = await services.sessions.open({
    subject: principal.subject,
    server: server.key,
    initialize: request.params ?? {},
    upstreams,
  });
  return session.token;
}

function negotiated(request: JsonRpcRequest): string {
  const wanted = request.params?.['protocolVersion'];
  return typeof wanted === 'string' && LEGACY_VERSIONS.includes(wanted) ? wanted : LATEST_LEGACY_VERSION;
}
