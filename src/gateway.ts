/** The composition root: every part is made here, once, and dies with `close`. */
import type { AuditTrail } from './audit/audit-trail.ts';
import { rotatingAudit } from './audit/rotating-audit.ts';
import { ChangeFeed } from './base/change-feed.ts';
import { utf8 } from './base/bytes.ts';
import { GatewayError } from './base/errors.ts';
import { newId } from './base/ids.ts';
import { PRODUCT } from './base/product.ts';
import { LegacyToModern } from './bridge/legacy-to-modern/legacy-to-modern.ts';
import { ParkedCalls } from './bridge/modern-to-legacy/parked-calls.ts';
import { ModernToLegacy } from './bridge/modern-to-legacy/modern-to-legacy.ts';
import type { Config } from './config.ts';
import { rotatingServers } from './catalog/rotating-servers.ts';
import { Servers } from './catalog/servers.ts';
import { createApp } from './http/app.ts';
import type { FetchHandler, SocketHandler } from './http/app.ts';
import { apiRoutes } from './http/api/api.ts';
import { conditionsOf, rotationConditionOf } from './http/health-conditions.ts';
import { healthRoutes } from './http/health.ts';
import { ProtectedResources } from './http/mcp/protected-resource.ts';
import { witnessed } from './identity/witnessed.ts';
import { watchAudit } from './observe/audit-gauges.ts';
import { watchRegistry } from './observe/gateway-gauges.ts';
import { watchRevocation } from './observe/revocation-condition.ts';
import { gaugeRevocation } from './observe/revocation-gauges.ts';
import { watchRotation } from './observe/rotation-gauges.ts';
import { createMetrics } from './observe/metrics.ts';
import type { Metrics } from './observe/metrics.ts';
import { openLimits } from './limits/open-limits.ts';
import type { Platform } from './platform.ts';
import { Policies } from './policy/policies.ts';
import { rotatingPolicy } from './policy/rotating-policy.ts';
import { Registry } from './registry/registry.ts';
import { rotatingGateways } from './registry/rotating-gateways.ts';
import { Follower } from './rotation/follower.ts';
import { Generations } from './rotation/generations.ts';
import { Instances } from './rotation/instances.ts';
import { rotatingKeys } from './rotation/rotating-keys.ts';
import { openCallers } from './tokens/open-callers.ts';
import { Rotation } from './rotation/rotation.ts';
import { StoreLink } from './rotation/store-link.ts';
import { LegacySessions } from './session/legacy-sessions.ts';
import { Mailbox } from './session/mailbox.ts';
import { RecordStore } from './store/records.ts';
import { ChannelCache } from './tls/channel-cache.ts';
import { openListFeeds } from './tls/lists/list-feeds.ts';
import type { ListFeeds } from './tls/lists/list-feeds.ts';
import { openKeyring } from './vault/keyring.ts';
import { parseVaultKeys } from './vault/vault-keys.ts';
import { Vault } from './vault/vault.ts';
import { viaName } from './wire/via.ts';

/** A running gateway. */
export interface Gateway {
  readonly fetch: FetchHandler;
  readonly webSocket: SocketHandler;
  /** Answers to these host names as well from now on. */
  readonly allowHosts: (names: readonly string[]) => void;
  readonly registry: Registry;
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly metrics: Metrics;
  readonly rotation: Rotation;
  /** Revocation lists by URL. */
  readonly lists: ListFeeds;
  /**
   * Has every instance read every record and file again, this one also while the store is gone; what cannot be used
   * keeps serving as it was. Never rejects.
   *
   * @param by who asked
   */
  reload(by: string): Promise<void>;
  /** Starts looking after upstreams, connecting those never reached, probing the others, and following the fleet. */
  beginUpkeep(): void;
  /** Turns /ready to 503, so that nobody sends new work, and ends streams that have no end of their own. */
  beginDrain(): void;
  /** Lets calls in flight finish for at most `drainMs` milliseconds, then closes everything. Idempotent. */
  close(drainMs: number): Promise<void>;
}

/** What an embedder may ask for. */
export interface GatewayOptions {
  /**
   * Whether the policy in the store holds nobody back: for one who has the store and its keys in hand, and could change it
   * there as well. Default false.
   */
  readonly isPolicyIgnored?: boolean;
}

/** A legacy MCP session lives this long after it was opened. */
const SESSION_LIFETIME_MS = 24 * 60 * 60 * 1000;
const CACHED_SESSION_COUNT = 10_000;

/**
 * Starts a gateway over a platform: opens the vault, migrates and loads the records. Dials nothing before it resolves.
 * The platform is the gateway's from here on: its store and dialer are closed with it, also when it cannot start.
 *
 * @throws GatewayError vault_key_invalid, file_refused for the vault key file, record_newer, store_unavailable
 */
export async function createGateway(
  config: Config,
  platform: Platform,
  options: GatewayOptions = {},
): Promise<Gateway> {
  try {
    return await startGateway(config, platform, options);
  } catch (error) {
    await closePlatform(platform);
    throw error;
  }
}

async function startGateway(config: Config, platform: Platform, options: GatewayOptions): Promise<Gateway> {
  const metrics = createMetrics();
  const { clock, storage, dialer, events } = platform;
  events.attach(metrics.events);
  const revocation = watchRevocation(clock);
  events.attach(revocation.events);

  const readKeyring = async () => openKeyring(parseVaultKeys(await platform.readVaultKeys()));
  const vault = new Vault(await readKeyring(), { reload: readKeyring });
  const records = new RecordStore({ storage, sealer: vault, events });
  await records.migrate();
  const audit = await auditOf(config, platform, { records, vault });
  if (audit) watchAudit(metrics, audit);
  // the same for all replicas, since they share the keys
  const ownName = viaName((await vault.mac(utf8('via'))).tag);

  const channels = new ChannelCache({
    dialer,
    clock,
    events,
    // an upstream in service holds its channel, so one that nobody holds belongs to an identity that was replaced
    maxIdle: 0,
    ttlMs: config.contextCacheTtlSeconds === undefined ? undefined : config.contextCacheTtlSeconds * 1000,
  });
  const store = new StoreLink(clock, events);
  const instances = new Instances(records, clock);
  const rotation = new Rotation({ generations: new Generations(records, clock), store, clock, events });
  const changes = new ChangeFeed();
  const onNews = () => void rotation.recheck();
  const lists = openListFeeds({ dialer, records, clock, events, onNews });
  const registry = new Registry({
    ...platform,
    readList: lists.read,
    revocationFailure: config.revocationFailure,
    records,
    rotation,
    changes,
    viaName: ownName,
    vault,
    channels,
    capabilities: dialer.capabilities,
    bindings: dialer.bindings,
    allowInsecureTls: config.allowInsecureTls,
    requireTls: config.requireTls,
    healthIntervalMs: config.healthIntervalSeconds * 1000,
    drainMs: config.rotationDrainTimeoutSeconds * 1000,
    stdio: platform.spawn && { spawner: platform.spawn, maxSessions: config.stdioMaxProcesses },
    slugHolder: (slug) => servers.holderOf(slug),
  });
  const servers = new Servers({ records, rotation, clock, events, changes, registry });
  const policies = new Policies({ records, rotation, clock, events, isEnforced: !options.isPolicyIgnored });
  const resources = new ProtectedResources({
    publicUrl: config.publicUrl,
    issuers: config.authRequired && config.clientAuthEnabled ? config.trustedIssuers : [],
  });
  const callers = await openCallers(config, platform, { records, rotation, channels, resources });
  const { authenticator, tokens } = callers;
  const { authenticate, authenticateOperator } = witnessed(authenticator, events);
  await rotation.begin();
  await registry.reload();
  await Promise.all([servers.reload(), policies.reload(), tokens.reload()]);
  for (const participant of [
    rotatingKeys(vault, readKeyring),
    rotatingGateways(registry),
    rotatingServers(servers),
    rotatingPolicy(policies),
    ...callers.participants,
    ...(audit ? [rotatingAudit(audit)] : []),
  ])
    rotation.join(participant);
  rotation.loaded();
  const follower = new Follower({
    rotation,
    records,
    instances,
    store,
    clock,
    pollMs: config.pollIntervalSeconds * 1000,
    id: newId(),
    name: platform.instanceName,
    vaultKeys: () => vault.kids,
    watchFiles: platform.watchFiles,
  });
  watchRegistry(
    metrics,
    () => registry.snapshot(),
    () => registry.draining,
  );
  watchRotation(metrics, () => rotation.status);
  gaugeRevocation(metrics, clock, () => lists.status, revocation);

  const sessions = new LegacySessions({
    vault,
    records,
    events,
    clock,
    lifetimeMs: SESSION_LIFETIME_MS,
    maxCachedCount: CACHED_SESSION_COUNT,
  });
  const mailbox = new Mailbox({ records, vault, clock });
  const modernToLegacy = new ModernToLegacy({ clock, parked: new ParkedCalls({ vault, clock, mailbox }) });
  const limits = openLimits({ own: config.limits, counters: storage.counters, clock, events });
  const holdToLimits = (): void => {
    const { limits: rules, superseded } = policies.inForce;
    limits.use(rules);
    superseded.addEventListener('abort', holdToLimits, { once: true });
  };
  holdToLimits();
  const draining = new AbortController();
  const { fetch, webSocket, allowHosts } = createApp({
    servers,
    policies,
    changes,
    viaName: ownName,
    sessions,
    limiter: limits.limiter,
    modernToLegacy,
    legacyToModern: new LegacyToModern({ clock, sessions, mailbox }),
    authenticate: limits.guarded((credentials) => {
      audit?.refuseUnrecorded();
      return authenticate(credentials);
    }),
    authenticateOperator: limits.guarded(authenticateOperator),
    certifies: (credentials) => authenticator.certifies(credentials),
    believes: (connection) => authenticator.believes(connection),
    proxyUserHeader: config.proxyUserHeader,
    resources,
    api: apiRoutes({ registry, servers, policies, tokens, rotation, follower, clock, events }),
    health: healthRoutes({
      version: PRODUCT.version,
      phase: () => (draining.signal.aborted ? 'draining' : 'serving'),
      conditions: () => conditionsOf(registry),
      rotation: () => rotationConditionOf(rotation),
      revocation: () => revocation.condition(),
      audit: () => audit?.condition,
    }),
    metricsText: () => metrics.render(),
    clock,
    draining: draining.signal,
    events,
    securityHeaders: config,
    allowedHosts: [config.host, ...config.allowedHosts],
    serverInfo: PRODUCT,
    accountsForCalls: audit !== undefined || config.logLevel === 'debug',
    refuseUnrecorded: () => audit?.refuseUnrecorded(),
  });
  events('gateway.started', { gateways: registry.snapshot().entries.length });

  let closing: Promise<void> | undefined;
  return {
    fetch,
    webSocket,
    allowHosts,
    registry,
    records,
    vault,
    metrics,
    rotation,
    lists,
    reload: async (by) => {
      await Promise.all([lists.fetch(), rotation.requestAnyway({ by, reason: 'signal', scope: 'all' })]);
    },
    beginUpkeep: () => {
      registry.beginUpkeep();
      follower.start();
    },
    beginDrain: () => draining.abort(new GatewayError('shutting_down', 'the gateway is about to stop')),
    close: (drainMs) =>
      (closing ??= follower
        .stop()
        .then(() => lists.close())
        .then(() => modernToLegacy.close())
        .then(() => closeAll(registry, servers, channels, drainMs))
        .then(() => audit?.close())
        .then(() => closePlatform(platform))),
  };
}

async function closeAll(registry: Registry, servers: Servers, channels: ChannelCache, drainMs: number): Promise<void> {
  await servers.close();
  await registry.close(drainMs);
  await channels.close();
}

/** Undefined where nobody asked for one; then nothing of it is loaded either. */
async function auditOf(
  { audit: target, auditToken: token, auditFailure }: Config,
  platform: Platform,
  kept: { readonly records: RecordStore; readonly vault: Vault },
): Promise<AuditTrail | undefined> {
  if (target === undefined) return undefined;
  const { openAudit } = await import('./audit/open-audit.ts');
  return openAudit({ target, token, failClosed: auditFailure === 'closed' }, platform, kept);
}

async function closePlatform({ dialer, storage }: Platform): Promise<void> {
  await dialer.close();
  await storage.close();
}
