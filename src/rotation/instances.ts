import type { Clock } from '../base/clock.ts';
import type { RecordStore } from '../store/records.ts';
import type { RotationProblem } from './participant.ts';

/** An instance that says nothing for so long is taken for dead. */
export const LEASE_MS = 15_000;
/** A lapsed instance is shown for so long. */
const REMEMBERED_MS = 10 * 60_000;

/** What an instance says of itself: its acknowledgement of a generation. */
export interface Acknowledgement {
  /** For people: host and process. */
  readonly name: string;
  /** The generation in force there. */
  readonly generation: number;
  /** The newest generation it tried to come to. */
  readonly seen: number;
  /** When it came to what is in force, ISO 8601. */
  readonly at: string;
  /** What is not in force as it should be. */
  readonly problems: readonly RotationProblem[];
  /** The vault keys it holds, the one that seals first. */
  readonly vaultKeys: readonly string[];
}

/** An instance as the others see it. */
export interface InstanceState extends Acknowledgement {
  readonly id: string;
  readonly alive: boolean;
}

interface InstanceBody extends Acknowledgement {
  /** Milliseconds since the epoch. */
  readonly leaseUntilMs: number;
}

/** Which instances there are, and how far each of them is; each writes its own record. */
export class Instances {
  readonly #records: RecordStore;
  readonly #clock: Clock;

  constructor(records: RecordStore, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** Says how far this instance is, for the time of a lease. @throws GatewayError store_unavailable */
  async acknowledge(id: string, acknowledgement: Acknowledgement): Promise<void> {
    const body: InstanceBody = { ...acknowledgement, leaseUntilMs: this.#clock.nowMs() + LEASE_MS };
    await this.#records.write([{ kind: 'instance', id, body }]);
  }

  /** Forgets an instance that stops. @throws GatewayError store_unavailable */
  async leave(id: string): Promise<void> {
    await this.#records.write([{ kind: 'instance', id, body: null }]);
  }

  /** Every instance that is alive or lapsed a short while ago, by name. @throws GatewayError store_unavailable */
  async list(): Promise<readonly InstanceState[]> {
    const now = this.#clock.nowMs();
    const all = await this.#records.list<InstanceBody>('instance');
    return all
      .filter(({ body }) => body.leaseUntilMs > now - REMEMBERED_MS)
      .map(({ id, body: { leaseUntilMs, ...said } }) => ({ ...said, id, alive: leaseUntilMs >= now }))
      .toSorted((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
  }

  /** Removes what instances that ended without a word have left, unless they speak up. @throws GatewayError store_unavailable */
  async sweep(): Promise<void> {
    const longAgo = this.#clock.nowMs() - REMEMBERED_MS;
    const gone = (await this.#records.list<InstanceBody>('instance')).filter(({ body }) => body.leaseUntilMs < longAgo);
    const removals = gone.map(
      ({ id, version }) => ({ kind: 'instance', id, body: null, expectedVersion: version }) as const,
    );
    if (removals.length > 0) await this.#records.write(removals);
  }
}
