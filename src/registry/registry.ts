import { newId } from '../base/ids.ts';
import { within } from '../base/pause.ts';
import type { Grant } from '../policy/grant.ts';
import { isInScope } from '../rotation/generation.ts';
import type { RotationReason, RotationScope } from '../rotation/generation.ts';
import { idOf, keyOf } from '../store/keys.ts';
import type { HandshakeReport } from '../tls/dialer.ts';
import { noHandshake } from '../tls/no-handshake.ts';
import { applyPatch, draftOf } from './apply-patch.ts';
import { Committer, staleVersion } from './committer.ts';
import type { CommitterOptions } from './committer.ts';
import { Exclusive } from './exclusive.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayCreate } from './gateway-input.ts';
import type { GatewayDraft, GatewayRecord } from './gateway-record.ts';
import { historyAfter } from './history.ts';
import { LiveGateways } from './live-gateways.ts';
import type { LiveGatewaysOptions } from './live-gateways.ts';
import { loadGateway } from './load-gateway.ts';
import type { LoadOptions } from './load-gateway.ts';
import { openGateway } from './open-gateway.ts';
import { promoted, retired, rolledBack } from './promotion.ts';
import type { RefreshReport } from './refresh-report.ts';
import { Refresher } from './refresher.ts';
import type { RegisteredGateway, ReadableGateway, RegistrySnapshot } from './snapshot.ts';
import { StandIn } from './stand-in.ts';
import { successorOf } from './successor.ts';
import { SwapTogether } from './swap-together.ts';
import { Upkeep } from './upkeep.ts';
import { Visitor } from './visitor.ts';

export interface RegistryOptions extends LoadOptions, LiveGatewaysOptions, CommitterOptions {
  /** Milliseconds between two health checks of an upstream. */
  readonly healthIntervalMs: number;
}

/** A rotation waits no longer for servers that do not answer. */
const RELOAD_MS = 3_000;

/** What a change expects to find: one of these versions; absent means whatever is there. */
export interface ChangeOptions {
  readonly ifVersions?: readonly string[];
}

/** The gateways of this instance: changes them in the store, and serves them from memory. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #live: LiveGateways;
  readonly #committer: Committer;
  readonly #refresher: Refresher;
  readonly #upkeep: Upkeep;
  readonly #standIn: StandIn;
  /** Changes of one gateway, by its id. */
  readonly #exclusive = new Exclusive();
  readonly #trying = new Set<string>();
  #started = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#live = new LiveGateways(
      options,
      () => this.#followAll(),
      (upstream, code, during) => {
        const { id } = upstream.config;
        const serves = during === 'call' && this.#live.get(id)?.upstream === upstream;
        if (serves && this.#standIn.mayHelp(id, code)) this.#upkeep.soon(id);
      },
    );
    this.#standIn = new StandIn(this.#live, this.#exclusive, options);
    this.#committer = new Committer(this.#live, options);
    const { clock, events, healthIntervalMs: intervalMs } = options;
    this.#refresher = new Refresher(this.#live, this.#committer, clock);
    const load = (id: string) => this.#exclusive.run(id, () => this.#load(id));
    const visitor = new Visitor(this.#live, this.#refresher, this.#standIn, { ...options, load });
    this.#upkeep = new Upkeep({ clock, events, intervalMs, visit: (id) => visitor.visit(id) });
  }

  /** What serves traffic now. */
  snapshot(): RegistrySnapshot {
    return this.#live.snapshot;
  }

  /** The upstreams that were replaced or removed and have not ended, by gateway slug. */
  get draining(): ReadonlyMap<string, number> {
    return this.#live.draining;
  }

  /** Every gateway in the order of registration, those that cannot be served included. */
  list(): readonly RegisteredGateway[] {
    return this.#live.list();
  }

  /** A gateway by id or slug. @throws GatewayError not_found */
  find(idOrSlug: string): RegisteredGateway {
    return this.#live.find(idOrSlug);
  }

  /** From here on upstreams never reached are connected and the others probed, each in its time. */
  beginUpkeep(): void {
    this.#started = true;
    this.#followAll();
  }

  /**
   * Reads records and the files they name again, and replaces what changed, what is ready at the same time in one
   * snapshot; what did not change keeps its connections. A server that does not answer holds up nobody: see `trying`.
   *
   * @param scope what may have changed
   * @returns whether anything was replaced
   * @throws GatewayError store_unavailable, shutting_down
   */
  async reload(scope: RotationScope = 'all'): Promise<boolean> {
    const { clock } = this.#options;
    const ids = await this.#idsIn(scope);
    let replaced = false;
    const together = new SwapTogether(ids.length, clock, (successors) => {
      if (this.#live.isClosing) return;
      replaced = true;
      this.#live.swapAll(successors);
    });
    const loads = Promise.allSettled(ids.map((id) => this.#exclusive.run(id, () => this.#loadTogether(id, together))));
    for (const load of (await within(clock, RELOAD_MS, loads)) ?? []) if (load.status === 'rejected') throw load.reason;
    return replaced;
  }

  /** The gateways whose new configuration is being tried out; what served them before serves on. */
  get trying(): ReadonlySet<string> {
    return this.#trying;
  }

  /** Ends every connection to the gateways in scope; calls on them fail, new ones connect anew. */
  cut(scope: RotationScope): void {
    for (const id of this.#live.ids) if (isInScope(keyOf('gateway', id), scope)) this.#live.cut(id);
  }

  /**
   * Registers a gateway: connects and lists, then stores. Without `connect` it is stored unreached.
   *
   * @throws GatewayError name_taken, every config code, every dial code
   */
  async create(grant: Grant, input: GatewayCreate, { connect }: { connect: boolean }): Promise<ReadableGateway> {
    const draft = draftOf(newId(), input);
    this.#committer.refuseCollisions(draft, undefined);
    const { config, profiles } = await openGateway(draft, this.#options);
    if (profiles?.refusal) throw profiles.refusal;
    const upstream = this.#live.open(config);
    return this.#live.discardedOnFailure(upstream, async () => {
      if (connect) await this.#live.connect(grant, upstream);
      const history = historyAfter(undefined, grant, this.#now());
      return this.#committer.commit({ draft, history, upstream, profiles, before: undefined });
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

  /**
   * Makes the next identity the current one, once the upstream was reached with it; the one before retires.
   *
   * @throws GatewayError not_found, version_stale, nothing_to_promote, every config code, every dial code; then it stays
   * as it was
   */
  async promote(grant: Grant, idOrSlug: string, options: ChangeOptions = {}): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, async (before) =>
      this.#replace(grant, before, await promoted(before.record, this.#options.vault), { reason: 'promote' }),
    );
  }

  /**
   * Drops the retiring identity and its trust. Nothing is dialled first: what is to be believed no more must not depend
   * on a server that answers.
   *
   * @throws GatewayError not_found, version_stale, nothing_to_retire, every config code; then it stays as it was
   */
  async retire(grant: Grant, idOrSlug: string, options: ChangeOptions = {}): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, (before) =>
      this.#replace(grant, before, retired(before.record), { unseen: true, reason: 'retire' }),
    );
  }

  /**
   * Brings back the TLS side as it was before its last change, once the upstream was reached with it; doing so twice
   * does nothing.
   *
   * @throws GatewayError not_found, version_stale, nothing_to_roll_back, files_not_kept, every config code, every dial
   * code; then it stays as it was
   */
  async rollback(grant: Grant, idOrSlug: string, options: ChangeOptions = {}): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, async (before) =>
      this.#replace(grant, before, await rolledBack(before, this.#options), { reason: 'rollback' }),
    );
  }

  /** Forgets a gateway, also one that cannot be read; calls in flight finish. @throws GatewayError not_found, version_stale */
  async remove(grant: Grant, idOrSlug: string, { ifVersions }: ChangeOptions = {}): Promise<void> {
    const { id } = this.find(idOrSlug);
    await this.#exclusive.run(id, async () => {
      const { record } = this.find(id);
      await this.#committer.remove(id, grant.subject, record && (await this.#latest(id, ifVersions)).version);
    });
  }

  /**
   * Reads the listing of a gateway again.
   *
   * @throws GatewayError not_found, gateway_inactive, refresh_running, every dial code
   */
  async refresh(grant: Grant, idOrSlug: string): Promise<RefreshReport> {
    return this.#refresher.refresh(grant, this.find(idOrSlug));
  }

  /** One handshake with a gateway's upstream, for people to read; why it failed is part of the report. @throws GatewayError not_found */
  async check(idOrSlug: string): Promise<HandshakeReport> {
    const { upstream, record, refusal } = this.find(idOrSlug);
    if (upstream !== undefined) return this.#live.withDeadline((signal) => upstream.examine(signal));
    const origin = record?.url === undefined ? (record?.program?.command ?? '') : new URL(record.url).origin;
    return noHandshake({ origin, serverName: '', error: refusal });
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

  /** @param unseen whether to do without reaching the upstream first */
  async #replace(
    grant: Grant,
    before: ReadableGateway,
    draft: GatewayDraft,
    { unseen = false, reason }: { readonly unseen?: boolean; readonly reason?: RotationReason } = {},
  ): Promise<ReadableGateway> {
    this.#committer.refuseCollisions(draft, before);
    const { upstream, profiles } = await successorOf(before, draft, this.#live, { ...this.#options, unseen });
    const opened = upstream === before.upstream ? undefined : upstream;
    return this.#live.discardedOnFailure(opened, async () => {
      if (opened && draft.enabled && !unseen) await this.#live.connect(grant, opened);
      const history = historyAfter(before.record.history, grant, this.#now());
      return this.#committer.commit({ draft, history, upstream, profiles, before, reason });
    });
  }

  async #idsIn(scope: RotationScope): Promise<readonly string[]> {
    if (scope !== 'all') return scope.flatMap((key) => idOf('gateway', key) ?? []);
    return [...new Set([...this.#live.ids, ...(await this.#options.records.ids('gateway'))])];
  }

  async #loadTogether(id: string, together: SwapTogether): Promise<void> {
    this.#trying.add(id);
    const gateway = await loadGateway(id, this.#live, this.#options)
      .catch((error: unknown) => {
        together.skip();
        throw error;
      })
      .finally(() => this.#trying.delete(id));
    if (gateway === this.#live.get(id)) together.skip();
    else await together.swap(id, gateway);
  }

  async #load(id: string): Promise<void> {
    const gateway = await loadGateway(id, this.#live, this.#options);
    this.#live.refuseWhenClosing();
    if (gateway !== this.#live.get(id)) this.#live.swap(id, gateway);
  }

  #followAll(): void {
    if (this.#started) this.#upkeep.follow(this.#live.ids);
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
