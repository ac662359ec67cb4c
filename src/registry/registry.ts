import { GatewayError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { grantUpkeep } from '../policy/grant.ts';
import type { Grant } from '../policy/grant.ts';
import type { HandshakeReport } from '../tls/dialer.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { applyPatch, draftOf } from './apply-patch.ts';
import { Committer, staleVersion } from './committer.ts';
import { dueCare } from './due-care.ts';
import { Exclusive } from './exclusive.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayCreate } from './gateway-input.ts';
import type { GatewayDraft, GatewayRecord } from './gateway-record.ts';
import { LiveGateways } from './live-gateways.ts';
import type { LiveGatewaysOptions } from './live-gateways.ts';
import { loadGateway } from './load-gateway.ts';
import type { LoadOptions } from './load-gateway.ts';
import { openGateway } from './open-gateway.ts';
import { refreshReport } from './refresh-report.ts';
import type { RefreshReport } from './refresh-report.ts';
import { isSameConfig } from './same-config.ts';
import type { Gateway, ReadableGateway, RegistrySnapshot } from './snapshot.ts';
import { Upkeep } from './upkeep.ts';

export type { GatewayEntry, RegistrySnapshot } from './snapshot.ts';

export interface RegistryOptions extends LoadOptions, LiveGatewaysOptions {
  /** Milliseconds between two health checks of an upstream. */
  readonly healthIntervalMs: number;
}

/** What a change expects to find: one of these versions; absent means whatever is there. */
export interface ChangeOptions {
  readonly ifVersions?: readonly string[];
}

/** The gateways of this instance: changes them in the store, and serves them from memory. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #live: LiveGateways;
  readonly #committer: Committer;
  readonly #upkeep: Upkeep;
  /** Changes of one gateway, by its id. */
  readonly #exclusive = new Exclusive();
  readonly #refreshing = new Set<string>();
  #started = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#live = new LiveGateways(options, () => this.#followAll());
    this.#committer = new Committer(this.#live, options);
    const { clock, events, healthIntervalMs: intervalMs } = options;
    this.#upkeep = new Upkeep({ clock, events, intervalMs, visit: (id) => this.#visit(id) });
  }

  /** What serves traffic now. */
  snapshot(): RegistrySnapshot {
    return this.#live.snapshot;
  }

  /** Every gateway in the order of registration, those that cannot be served included. */
  list(): readonly Gateway[] {
    return this.#live.list();
  }

  /** A gateway by id or slug. @throws GatewayError not_found */
  find(idOrSlug: string): Gateway {
    return this.#live.find(idOrSlug);
  }

  /**
   * Loads every gateway, then keeps connecting and checking them. One whose listing is stored serves without dialling.
   *
   * @throws GatewayError store_unavailable
   */
  async start(): Promise<void> {
    await this.reload();
    this.#started = true;
    this.#followAll();
  }

  /**
   * Reads all records and the files they name again, and replaces what changed; what did not keeps its connections.
   *
   * @throws GatewayError store_unavailable, shutting_down
   */
  async reload(): Promise<void> {
    const ids = new Set([...this.#live.ids, ...(await this.#options.records.ids('gateway'))]);
    await Promise.all([...ids].map((id) => this.#exclusive.run(id, () => this.#load(id))));
  }

  /**
   * Registers a gateway: connects and lists, then stores. Without `connect` it is stored unreached.
   *
   * @throws GatewayError name_taken, every config code, every dial code
   */
  async create(grant: Grant, input: GatewayCreate, { connect }: { connect: boolean }): Promise<ReadableGateway> {
    const draft = draftOf(newId(), input);
    this.#committer.refuseCollisions(draft, undefined);
    const { config, nextProfile } = await openGateway(draft, this.#options);
    const upstream = this.#live.open(config);
    return this.#live.discardedOnFailure(upstream, async () => {
      if (connect) await this.#live.connect(grant, upstream);
      const now = this.#now();
      const history = {
        createdAt: now,
        createdBy: grant.subject,
        updatedAt: now,
        updatedBy: grant.subject,
        revision: 1,
      };
      return this.#committer.commit({ draft, history, upstream, nextProfile, before: undefined });
    });
  }

  /**
   * Changes a gateway. When it is reached differently afterwards, the new upstream is connected first; calls in flight
   * finish on the old one.
   *
   * @throws GatewayError not_found, version_stale, name_taken, every config code, every dial code; then it stays as it was
   */
  async update(
    grant: Grant,
    idOrSlug: string,
    patch: GatewayPatch,
    options: ChangeOptions = {},
  ): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, (before) => this.#replace(grant, before, applyPatch(before.record, patch)));
  }

  /**
   * Activates a gateway after connecting it anew, or takes it out of service; calls in flight finish.
   *
   * @throws GatewayError not_found, version_stale, every config code, every dial code; then it stays as it was
   */
  async setActive(
    grant: Grant,
    idOrSlug: string,
    active: boolean,
    options: ChangeOptions = {},
  ): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, async (before) =>
      before.record.enabled === active ? before : this.#replace(grant, before, { ...before.record, enabled: active }),
    );
  }

  /** Forgets a gateway, also one that cannot be read; calls in flight finish. @throws GatewayError not_found, version_stale */
  async remove(idOrSlug: string, { ifVersions }: ChangeOptions = {}): Promise<void> {
    const { id } = this.find(idOrSlug);
    await this.#exclusive.run(id, async () => {
      const { record } = this.find(id);
      await this.#committer.remove(id, record && (await this.#latest(id, ifVersions)).version);
    });
  }

  /**
   * Reads the listing of a gateway again.
   *
   * @throws GatewayError not_found, gateway_inactive, refresh_running, every dial code
   */
  async refresh(grant: Grant, idOrSlug: string): Promise<RefreshReport> {
    const gateway = this.find(idOrSlug);
    const { id, record, upstream, refusal } = gateway;
    if (upstream === undefined)
      throw refusal ?? new GatewayError('upstream_unavailable', 'nothing serves this gateway');
    if (!record.enabled)
      throw new GatewayError('gateway_inactive', `the gateway ${record.slug} is not active`, {
        hint: 'activate it first: POST …/state?activate=true',
      });
    if (this.#refreshing.has(id))
      throw new GatewayError('refresh_running', `the gateway ${record.slug} is being refreshed already`);
    const before = upstream.facts?.listing;
    const startedMs = this.#options.clock.monotonicMs();
    const facts = await this.#relist(grant, id, upstream);
    const durationMs = Math.round(this.#options.clock.monotonicMs() - startedMs);
    return refreshReport(before, facts.listing, { gatewayId: id, durationMs, refreshedAt: facts.listedAt });
  }

  /** One handshake with a gateway's upstream, for people to read; why it failed is part of the report. @throws GatewayError not_found */
  async check(idOrSlug: string): Promise<HandshakeReport> {
    const { upstream, record, refusal } = this.find(idOrSlug);
    if (upstream !== undefined) return this.#live.withDeadline((signal) => upstream.examine(signal));
    const origin = record === undefined ? '' : new URL(record.url).origin;
    const nothing = {
      protocol: undefined,
      cipher: undefined,
      alpn: undefined,
      serverName: '',
      peerChain: [],
      presented: undefined,
    };
    return { ok: false, origin, ...nothing, error: refusal };
  }

  /** Stops upkeep and lets calls in flight finish for `drainMs`; nothing is changed any more. Idempotent. */
  async close(drainMs: number): Promise<void> {
    this.#started = false;
    this.#upkeep.stop();
    this.#live.abort();
    await this.#committer.idle();
    await this.#live.close(drainMs);
  }

  async #change(
    idOrSlug: string,
    { ifVersions }: ChangeOptions,
    work: (before: ReadableGateway) => Promise<ReadableGateway>,
  ): Promise<ReadableGateway> {
    const { id } = this.find(idOrSlug);
    return this.#exclusive.run(id, async () => work(await this.#latest(id, ifVersions)));
  }

  /** The gateway as it is stored, also when another process wrote it since. */
  async #latest(id: string, ifVersions: readonly string[] | undefined): Promise<ReadableGateway> {
    const stored = await this.#options.records.get<GatewayRecord>('gateway', id);
    const held = this.#live.get(id);
    if (held?.record === undefined || held.version !== stored?.version) await this.#load(id);
    const latest = this.find(id);
    if (latest.record === undefined) throw latest.refusal;
    if (ifVersions !== undefined && !ifVersions.includes(latest.version)) throw staleVersion();
    return latest;
  }

  async #replace(grant: Grant, before: ReadableGateway, draft: GatewayDraft): Promise<ReadableGateway> {
    this.#committer.refuseCollisions(draft, before);
    const history = { ...before.record.history, updatedAt: this.#now(), updatedBy: grant.subject };
    const kept = { draft, before, history: { ...history, revision: history.revision + 1 } };
    const { upstream: serving } = before;
    if (before.record.enabled && !draft.enabled) {
      // a fresh one, so that the connections of the old one end
      const idle = serving && this.#live.open(serving.config, serving.facts);
      return this.#committer.commit({ ...kept, upstream: idle, nextProfile: before.nextProfile });
    }
    const { config, nextProfile } = await openGateway(draft, this.#options);
    const same = serving !== undefined && isSameConfig(serving.config, config);
    if (same && before.record.enabled === draft.enabled)
      return this.#committer.commit({ ...kept, upstream: serving, nextProfile });
    const upstream = this.#live.open(config, same ? serving.facts : undefined);
    return this.#live.discardedOnFailure(upstream, async () => {
      if (draft.enabled) await this.#live.connect(grant, upstream);
      return this.#committer.commit({ ...kept, upstream, nextProfile });
    });
  }

  async #load(id: string): Promise<void> {
    const gateway = await loadGateway(id, this.#live, this.#options);
    this.#live.refuseWhenClosing();
    if (gateway !== this.#live.get(id)) this.#live.swap(id, gateway);
  }

  #followAll(): void {
    if (this.#started) this.#upkeep.follow(this.#live.ids);
  }

  /** Connects an upstream again and keeps its listing, unless another one took its place meanwhile. */
  async #relist(grant: Grant, id: string, upstream: Upstream): Promise<UpstreamFacts> {
    this.#refreshing.add(id);
    try {
      const facts = await this.#live.connect(grant, upstream);
      await this.#committer.keepListing(id, upstream, facts);
      return facts;
    } finally {
      this.#refreshing.delete(id);
    }
  }

  /** Upkeep of one gateway: reads what was refused again, connects what was never reached, probes the rest. */
  async #visit(id: string): Promise<boolean> {
    const held = this.#live.get(id);
    if (held?.refusal) await this.#exclusive.run(id, () => this.#load(id));
    const { upstream, record } = this.#live.get(id) ?? {};
    if (upstream === undefined || record === undefined) return held === undefined;
    if (!record.enabled || this.#refreshing.has(id)) return true;
    const { clock, healthIntervalMs: intervalMs } = this.#options;
    const { refreshIntervalSeconds } = record;
    const { facts, health } = upstream;
    const grant = grantUpkeep('health');
    switch (dueCare({ nowMs: clock.nowMs(), intervalMs, refreshIntervalSeconds, facts, health })) {
      case 'nothing':
        return true;
      case 'probe':
        return (await this.#live.withDeadline((signal) => upstream.probe(grant, signal))).status === 'healthy';
      case 'relist':
        await this.#relist(grant, id, upstream);
        return true;
    }
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
