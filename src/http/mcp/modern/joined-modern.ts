import { GatewayError } from '../../../base/errors.ts';
import { asFields } from '../../../base/fields.ts';
import type { Fields } from '../../../base/fields.ts';
import { discoverResultOf } from '../../../bridge/modern-to-legacy/translation.ts';
import { mergeCapabilities, mergeInstructions } from '../../../catalog/merge.ts';
import type { Member } from '../../../catalog/member.ts';
import { META, MODERN_VERSIONS } from '../../../wire/eras.ts';
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts';
import type { ListingMethod } from '../../../wire/mcp.ts';
import { resultAnswer } from '../answers.ts';
import type { AskMember } from '../lists/apart-lists.ts';
import { MEMBER_DEADLINE_MS } from '../exchange.ts';
import type { Exchange, McpServices } from '../exchange.ts';
import { finalMessage } from '../final-message.ts';
import { joinedCapabilities } from '../lists/joined-capabilities.ts';
import { joinedListing } from '../lists/joined-listing.ts';
import { sendBridged, sendModern, speaksModern } from './modern-legs.ts';

/**
 * server/discover over all members: what any of them can do, in whichever era. They are only asked while nothing is
 * known of them, and how long what they said may be kept is not.
 *
 * @throws GatewayError upstream_unavailable when nothing is known of any member
 */
export async function discover(services: McpServices, exchange: Exchange, request: JsonRpcRequest): Promise<Response> {
  const { members } = exchange.server;
  await introduced(exchange, members);
  const known = members.filter(({ upstream }) => upstream.facts !== undefined);
  if (members.length > 0 && known.length === 0) throw noneKnown(members);
  const instructions = mergeInstructions(
    known.map(({ upstream: { config, facts } }) => ({
      name: config.name,
      instructions: (facts?.modern ?? facts?.legacy)?.instructions,
    })),
  );
  return resultAnswer(request.id, {
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: joinedCapabilities(mergeCapabilities(known.map(modernCapabilities))),
    ...(instructions !== undefined && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: services.serverInfo },
  });
}

/** One of the four listings over all members. */
export function listing(
  services: McpServices,
  exchange: Exchange,
  request: JsonRpcRequest,
  method: ListingMethod,
): Promise<Response> {
  const ask: AskMember = async (member, page, signal) => {
    const asItIs = await speaksModern(member, exchange);
    const response = asItIs
      ? await sendModern(exchange, member, method, JSON.stringify(page), {}, signal)
      : await sendBridged(services, exchange, member, page, signal);
    return finalMessage(response);
  };
  return joinedListing(services, exchange, request, method, 'modern', ask);
}

/** Resolves once every member was reached, or its time is up. */
async function introduced({ grant, signal }: Exchange, members: readonly Member[]): Promise<void> {
  const wait = { signal, limitMs: MEMBER_DEADLINE_MS };
  const strangers = members.filter(({ upstream }) => upstream.facts === undefined);
  if (strangers.length === 0) return;
  await Promise.allSettled(strangers.map(async ({ upstream }) => upstream.listings.fresh(grant, 'tools/list', wait)));
}

function modernCapabilities({ upstream: { facts } }: Member): Fields {
  if (facts?.modern) return facts.modern.capabilities;
  return asFields(facts?.legacy && discoverResultOf(facts.legacy)['capabilities']) ?? {};
}

function noneKnown(members: readonly Member[]): GatewayError {
  const reason = members
    .map(({ upstream }) => upstream.health.reason?.message)
    .find((message) => message !== undefined);
  return new GatewayError(
    'upstream_unavailable',
    `no upstream could be discovered; the first said: ${reason ?? 'nothing'}`,
  );
}
