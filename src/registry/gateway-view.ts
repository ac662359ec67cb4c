import { authView } from './auth-view.ts';
import { MASK } from './field-schema.ts';
import { healthOf } from './gateway-health.ts';
import type { GatewayHealth } from './gateway-health.ts';
import type { GatewayProgram, GatewayRecord } from './gateway-record.ts';
import type { RegisteredGateway, ReadableGateway } from './snapshot.ts';
import { historyView, labelsView, UNKNOWN_HISTORY } from './record-view.ts';
import { tlsFieldsView, tlsSummary } from './tls-view.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';

/** What ContextForge reports and we do not have: teams, imports, an asynchronous lifecycle. */
const ABSENT = {
  team: null,
  createdFromIp: null,
  createdVia: null,
  createdUserAgent: null,
  modifiedFromIp: null,
  modifiedVia: null,
  modifiedUserAgent: null,
  importBatchId: null,
  federationSource: null,
  lifecycleClaimedBy: null,
  lifecycleClaimedAt: null,
  lifecycleExpiresAt: null,
  oauthConfig: null,
  oneTimeAuth: false,
  identityPropagation: null,
  caCertificateSig: null,
  gatewayMode: 'cache',
  skippedTools: [],
} as const;

const TRANSPORTS = { auto: 'AUTO', 'streamable-http': 'STREAMABLEHTTP', sse: 'SSE', stdio: 'STDIO' } as const;

/**
 * A gateway as people and scripts see it: ContextForge's fields and ours, camelCase, secrets masked.
 *
 * @see /openapi.json, GatewayRead
 */
export type GatewayView = ReturnType<typeof gatewayView>;

/** What is shown of a gateway now. Health, dates and counts change without a new version of the record. */
export function gatewayView(gateway: RegisteredGateway, nowMs: number) {
  const { id, refusal } = gateway;
  const { record, upstream, profiles } = readable(gateway);
  const facts = upstream?.facts;
  const health = healthOf(gateway);
  const { reason } = health;
  const { history, labels } = record;
  return {
    id,
    name: record.name,
    slug: record.slug,
    url: record.url ?? null,
    ...programView(record.program),
    description: record.description ?? null,
    transport: TRANSPORTS[record.transport === 'auto' && facts ? facts.transport : record.transport],
    prefix: record.prefix,
    enabled: record.enabled,
    reachable: record.enabled && facts !== undefined && upstream?.health.status !== 'failing',
    status: refusal ? 'refused' : facts ? 'active' : 'pending',
    statusMessage: reason?.message ?? null,
    lastError: reason === undefined ? null : `${reason.code}: ${reason.message}`,
    lastSeen: health.lastSuccessAt ?? facts?.listedAt ?? null,
    registrationAttempts: health.consecutiveFailures,
    nextRetryAt: health.nextProbeAt ?? null,
    health: healthView(health),
    protocolEra: record.protocolEra ?? 'auto',
    eras: erasView(facts),
    protocolVersions: [
      ...(facts?.legacy ? [facts.legacy.protocolVersion] : []),
      ...(facts?.modern?.supportedVersions ?? []),
    ],
    capabilities: facts?.legacy?.capabilities ?? facts?.modern?.capabilities ?? {},
    serverInfo: facts?.legacy?.serverInfo ?? facts?.modern?.serverInfo ?? null,
    toolCount: facts?.listing.tools.length ?? 0,
    promptCount: facts?.listing.prompts.length ?? 0,
    resourceCount: facts === undefined ? 0 : facts.listing.resources.length + facts.listing.resourceTemplates.length,
    lastRefreshAt: facts?.listedAt ?? null,
    refreshIntervalSeconds: record.refreshIntervalSeconds ?? null,
    requestTimeoutSeconds: record.requestTimeoutSeconds ?? null,
    passthroughHeaders: record.passthroughHeaders,
    ...authView(record.auth),
    ...tlsFieldsView(record.tls),
    tls: tlsSummary(upstream?.config.profile, profiles, nowMs),
    ...labelsView(labels),
    signingAlgorithm: labels.signingAlgorithm ?? null,
    ...historyView(history),
    ...ABSENT,
  };
}

/** A program as it was written, but for the values of its environment. */
function programView(program: GatewayProgram<unknown> | undefined) {
  const masked = (env: object) => Object.fromEntries(Object.keys(env).map((name) => [name, MASK]));
  return {
    command: program?.command ?? null,
    args: program?.args ?? null,
    env: program === undefined ? null : masked(program.env),
    cwd: program?.cwd ?? null,
  };
}

/** Which eras it was found to speak, and when that was looked at; the older date, where one verdict is older. */
function erasView(facts: UpstreamFacts | undefined) {
  const [probedAt = null] = Object.values(facts?.probedAt ?? {}).toSorted();
  return { modern: facts?.modern !== undefined, legacy: facts?.legacy !== undefined, probedAt };
}

function healthView({ status, reason, lastSuccessAt, nextProbeAt, consecutiveFailures, breaker }: GatewayHealth) {
  return {
    status,
    reason: reason ?? null,
    lastSuccessAt: lastSuccessAt ?? null,
    nextProbeAt: nextProbeAt ?? null,
    consecutiveFailures,
    breaker,
  };
}

/** A gateway whose record cannot be believed is shown by its id, so that it can be found and removed. */
function readable(gateway: RegisteredGateway): Pick<ReadableGateway, 'record' | 'upstream' | 'profiles'> {
  if (gateway.record !== undefined) return gateway;
  const { id } = gateway;
  const record: GatewayRecord = {
    id,
    slug: id,
    name: id,
    transport: 'auto',
    prefix: '',
    enabled: false,
    passthroughHeaders: [],
    auth: { type: 'none' },
    tls: {},
    labels: {},
    history: UNKNOWN_HISTORY,
  };
  return { record, upstream: undefined, profiles: undefined };
}
