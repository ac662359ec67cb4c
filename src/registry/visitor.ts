import type { Clock } from '../base/clock.ts';
import { grantUpkeep } from '../policy/grant.ts';
import type { Grant } from '../policy/grant.ts';
import { decideVisit } from './decide-visit.ts';
import type { LiveGateways } from './live-gateways.ts';
import type { Refresher } from './refresher.ts';
import type { ReadableGateway } from './snapshot.ts';
import type { StandIn } from './stand-in.ts';

export interface VisitorOptions {
  readonly clock: Clock;
  /** Milliseconds between two visits of a gateway. */
  readonly healthIntervalMs: number;
  /** Reads a gateway again. */
  readonly load: (id: string) => Promise<void>;
}

/** Upkeep of one gateway: reads what was refused again, connects what was never reached, probes the rest. */
export class Visitor {
  readonly #live: LiveGateways;
  readonly #refresher: Refresher;
  readonly #standIn: StandIn;
  readonly #options: VisitorOptions;

  constructor(live: LiveGateways, refresher: Refresher, standIn: StandIn, options: VisitorOptions) {
    this.#live = live;
    this.#refresher = refresher;
    this.#standIn = standIn;
    this.#options = options;
  }

  /** False when the gateway does not fare well. @throws GatewayError every dial code, store_unavailable, shutting_down */
  async visit(id: string): Promise<boolean> {
    const held = this.#live.get(id);
    if (held?.refusal) await this.#options.load(id);
    const gateway = this.#live.get(id);
    if (gateway?.upstream === undefined) return held === undefined;
    if (!gateway.record.enabled || this.#refresher.isRefreshing(id)) return true;
    const grant = grantUpkeep('health');
    try {
      await this.#look(grant, gateway);
    } finally {
      await this.#standIn.tend(grant, id);
    }
    return gateway.upstream.health.status === 'healthy';
  }

  async #look(grant: Grant, { id, record, upstream }: ReadableGateway): Promise<void> {
    if (upstream === undefined) return;
    const { clock, healthIntervalMs: intervalMs } = this.#options;
    const { refreshIntervalSeconds } = record;
    const { facts, health } = upstream;
    switch (decideVisit({ nowMs: clock.nowMs(), intervalMs, refreshIntervalSeconds, facts, health })) {
      case 'nothing':
        break;
      case 'probe':
        await this.#live.withDeadline((signal) => upstream.probe(grant, signal));
        break;
      case 'relist':
        await this.#refresher.relist(grant, id, upstream);
    }
    if (upstream.health.breaker === 'closed') await this.#refresher.tend(grant, id, upstream);
  }
}
