import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import { within } from '../base/pause.ts';
import type { Grant } from '../policy/grant.ts';
import type { RotationScope } from '../rotation/generation.ts';
import { idOf } from '../store/keys.ts';
import type { HandshakeReport } from '../tls/dialer.ts';
import { noHandshake } from '../tls/no-handshake.ts';
import { Committer } from './committer.ts';
import type { CommitterOptions } from './committer.ts';
import { Exclusive } from './exclusive.ts';
import { GatewayChanges } from './gateway-changes.ts';
import { LiveGateways } from './live-gateways.ts';
import type { LiveGatewaysOptions } from './live-gateways.ts';
import { loadGateway, servesOtherwise } from './load-gateway.ts';
import type { LoadOptions, RecordSource } from './load-gateway.ts';
import type { RefreshReport } from './refresh-report.ts';
import { Refresher } from './refresher.ts';
import type { RegisteredGateway, RegistrySnapshot } from './snapshot.ts';
import { StandIn } from './stand-in.ts';
import { SwapTogether } from './swap-together.ts';
import { Upkeep } from './upkeep.ts';
import { Visitor } from './visitor.ts';

export interface RegistryOptions extends LoadOptions, LiveGatewaysOptions, CommitterOptions {
  /** Milliseconds between two health checks of an upstream. */
  readonly healthIntervalMs: number;
}

/** A rotation waits no longer for servers that do not answer. */
const RELOAD_MS = 3_000;

/** The gateways of this instance: changes them in the store, and serves them from memory. */
export class Registry {
  /** Registering, changing and removing gateways. */
  readonly changes: GatewayChanges;
  readonly #options: RegistryOptions;
  readonly #live: LiveGateways;
  readonly #committer: Committer;
  readonly #refresher: Refresher;
  readonly #upkeep: Upkeep;
  readonly #standIn: StandIn;
  /** Changes of one gateway, by its id. */
  readonly #exclusive = new Exclusive();
  readonly #loads = new Set<{ readonly id: string }>();
  readonly #unread = new Map<string, GatewayError>();
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
    this.changes = new GatewayChanges(this.#live, this.#committer, {
      ...options,
      exclusive: this.#exclusive,
      load: (id) => this.#load(id),
    });
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
    const { ids, gone } = await this.#idsIn(scope);
    let replaced = false;
    const together = new SwapTogether(ids.length, clock, (successors) => {
      if (this.#live.isClosing) return;
      replaced ||= [...successors].some(([id, after]) => servesOtherwise(this.#live.get(id), after));
      this.#live.swapAll(successors);
    });
    const loads = Promise.allSettled(ids.map((id) => this.#loadTogether(id, together, gone ? 'memory' : 'store')));
    for (const load of (await within(clock, RELOAD_MS, loads)) ?? []) if (load.status === 'rejected') throw load.reason;
    if (gone) throw gone;
    return replaced;
  }

  /** The gateways that are to be read or tried out still; what served them before serves on. */
  get trying(): ReadonlySet<string> {
    return new Set([...this.#loads].map(({ id }) => id));
  }

  /** Why gateways could not be read the last time, by id; what served them before serves on. */
  get unread(): ReadonlyMap<string, GatewayError> {
    return this.#unread;
  }

  /** Ends every connection to the gateways in scope; calls on them fail, new ones connect anew. */
  cut(scope: RotationScope): void {
    this.#live.cut(scope);
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

  /** Where the store is gone, why, and the gateways that are held: their files can be read all the same. */
  async #idsIn(scope: RotationScope): Promise<{ readonly ids: readonly string[]; readonly gone?: GatewayError }> {
    if (scope !== 'all') return { ids: scope.flatMap((key) => idOf('gateway', key) ?? []) };
    try {
      return { ids: [...new Set([...this.#live.ids, ...(await this.#options.records.ids('gateway'))])] };
    } catch (error) {
      return { ids: [...this.#live.ids], gone: toGatewayError(error) };
    }
  }

  /** Also while it waits for a change under way, what is stored is not in force yet. */
  async #loadTogether(id: string, together: SwapTogether, source: RecordSource): Promise<void> {
    const load = { id };
    this.#loads.add(load);
    try {
      await this.#exclusive.run(id, async () => {
        const gateway = await loadGateway(id, this.#live, this.#options, source);
        this.#unread.delete(id);
        if (gateway === this.#live.get(id)) together.skip();
        else await together.swap(id, gateway);
      });
    } catch (error) {
      together.skip();
      // the rotation may not wait for it any more
      this.#unread.set(id, toGatewayError(error));
      throw error;
    } finally {
      this.#loads.delete(load);
    }
  }

  async #load(id: string): Promise<void> {
    const gateway = await loadGateway(id, this.#live, this.#options);
    this.#unread.delete(id);
    this.#live.refuseWhenClosing();
    if (gateway !== this.#live.get(id)) this.#live.swap(id, gateway);
  }

  #followAll(): void {
    if (this.#started) this.#upkeep.follow(this.#live.ids);
  }
}
