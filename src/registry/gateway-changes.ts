import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Grant } from '../policy/grant.ts';
import type { RotationReason } from '../rotation/generation.ts';
import type { RecordStore } from '../store/records.ts';
import { applyPatch, draftOf } from './apply-patch.ts';
import { staleVersion } from './committer.ts';
import type { Committer } from './committer.ts';
import type { Exclusive } from './exclusive.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayCreate } from './gateway-input.ts';
import type { GatewayDraft, GatewayRecord } from './gateway-record.ts';
import { historyAfter } from './history.ts';
import type { LiveGateways } from './live-gateways.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenGatewayOptions } from './open-gateway.ts';
import { promoted, retired, rolledBack } from './promotion.ts';
import type { ReadableGateway } from './snapshot.ts';
import { successorOf } from './successor.ts';

export interface GatewayChangesOptions extends OpenGatewayOptions {
  readonly records: RecordStore;
  readonly clock: Clock;
  /** Changes of one gateway, by its id. */
  readonly exclusive: Exclusive;
  /** Takes up what is stored of a gateway; called while no other change of it runs. */
  readonly load: (id: string) => Promise<void>;
}

/** What a change expects to find: one of these versions; absent means whatever is there. */
export interface ChangeOptions {
  readonly ifVersions?: readonly string[];
}

/** Changes gateways: each is tried out, written and put in force, or nothing has changed. */
export class GatewayChanges {
  readonly #live: LiveGateways;
  readonly #committer: Committer;
  readonly #options: GatewayChangesOptions;

  constructor(live: LiveGateways, committer: Committer, options: GatewayChangesOptions) {
    this.#live = live;
    this.#committer = committer;
    this.#options = options;
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
   * Changes a gateway. When it is reached differently afterwards, the new upstream is connected first, unless `connect`
   * is false: trust can be withdrawn from a server that does not give way. Calls in flight finish on the old one.
   *
   * @throws GatewayError not_found, version_stale, name_taken, every config code, every dial code; then it stays as it was
   */
  async update(
    grant: Grant,
    idOrSlug: string,
    patch: GatewayPatch,
    { connect = true, ...options }: ChangeOptions & { readonly connect?: boolean } = {},
  ): Promise<ReadableGateway> {
    return this.#change(idOrSlug, options, (before) =>
      this.#replace(grant, before, applyPatch(before.record, patch), { unseen: !connect }),
    );
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
    const { id } = this.#live.find(idOrSlug);
    await this.#options.exclusive.run(id, async () => {
      const { record } = this.#live.find(id);
      await this.#committer.remove(id, grant.subject, record && (await this.#latest(id, ifVersions)).version);
    });
  }

  async #change(
    idOrSlug: string,
    { ifVersions }: ChangeOptions,
    work: (before: ReadableGateway) => Promise<ReadableGateway>,
  ): Promise<ReadableGateway> {
    const { id } = this.#live.find(idOrSlug);
    return this.#options.exclusive.run(id, async () => work(await this.#latest(id, ifVersions)));
  }

  /** The gateway as it is stored, also when another process wrote it since. */
  async #latest(id: string, ifVersions: readonly string[] | undefined): Promise<ReadableGateway> {
    const stored = await this.#options.records.get<GatewayRecord>('gateway', id);
    const held = this.#live.get(id);
    if (held?.record === undefined || held.version !== stored?.version) await this.#options.load(id);
    const latest = this.#live.find(id);
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
      if (opened && draft.enabled && !unseen) {
        await this.#live.connect(grant, opened);
        await this.#live.warm(opened, before.upstream);
      }
      const history = historyAfter(before.record.history, grant, this.#now());
      return this.#committer.commit({ draft, history, upstream, profiles, before, reason });
    });
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
