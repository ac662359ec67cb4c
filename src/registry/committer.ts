import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { RotationNote, RotationReason } from '../rotation/generation.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Vault } from '../vault/vault.ts';
import { refuseCollisions, slugTaken } from './collisions.ts';
import { Exclusive } from './exclusive.ts';
import { rememberingTls } from './former-tls.ts';
import type { GatewayProfiles } from './gateway-profiles.ts';
import type { GatewayDraft, RecordHistory, GatewayRecord } from './gateway-record.ts';
import { sealDraft } from './gateway-secrets.ts';
import type { LiveGateways } from './live-gateways.ts';
import type { ReadableGateway } from './snapshot.ts';

export interface CommitterOptions {
  readonly records: RecordStore;
  /** Every change is a generation, so that the other instances come to it. */
  readonly rotation: Pick<Rotation, 'commit'>;
  readonly vault: Vault;
  readonly events: EventSink;
  /** Who else has a slug in the one namespace of addresses; undefined when nobody has. */
  readonly slugHolder: (slug: string) => string | undefined;
}

/** What takes the place of a gateway, or of nothing. */
export interface Replacement {
  readonly draft: GatewayDraft;
  readonly history: RecordHistory;
  readonly upstream: Upstream | undefined;
  readonly profiles: GatewayProfiles | undefined;
  readonly before: ReadableGateway | undefined;
  /** Default `change`. */
  readonly reason?: RotationReason | undefined;
}

/** Writes gateways and puts them in force, one at a time; the one place where both happen. */
export class Committer {
  readonly #live: LiveGateways;
  readonly #options: CommitterOptions;
  readonly #exclusive = new Exclusive();

  constructor(live: LiveGateways, options: CommitterOptions) {
    this.#live = live;
    this.#options = options;
  }

  /** @throws GatewayError name_taken, version_stale, store_unavailable, shutting_down; then nothing has changed */
  commit({ draft, history, upstream, profiles, before, reason = 'change' }: Replacement): Promise<ReadableGateway> {
    const { rotation, vault, events } = this.#options;
    const { id } = draft;
    return this.#alone(async () => {
      this.refuseCollisions(draft, before, upstream?.facts);
      const remembering = await rememberingTls(draft, before, profiles, vault);
      const record: GatewayRecord = { ...(await sealDraft(remembering, vault)), history };
      const version = newId();
      const change = { kind: 'gateway', id, body: record, version, expectedVersion: before?.version ?? null } as const;
      const listing = { kind: 'listing', id, body: upstream?.facts ?? null } as const;
      const changes = upstream === before?.upstream ? [change] : [change, listing];
      const gateway = { id, record, version, upstream, profiles, refusal: undefined };
      const putInForce = () => this.#live.swap(id, gateway);
      if (!(await rotation.commit(changes, noteOf(id, history.updatedBy, reason), putInForce))) throw staleVersion();
      const { insecureTls = false } = upstream?.config ?? {};
      events(before ? 'upstream.changed' : 'upstream.registered', {
        gateway: record.slug,
        ...(insecureTls && { insecureTls }),
      });
      return gateway;
    });
  }

  /** @param version the one that must be stored; undefined for whatever is. @throws GatewayError version_stale, store_unavailable, shutting_down */
  remove(id: string, by: string, version: string | undefined): Promise<void> {
    return this.#alone(async () => {
      const removal = {
        kind: 'gateway',
        id,
        body: null,
        ...(version !== undefined && { expectedVersion: version }),
      } as const;
      const changes = [removal, { kind: 'listing', id, body: null }] as const;
      const putInForce = () => this.#live.swap(id, undefined);
      if (!(await this.#options.rotation.commit(changes, noteOf(id, by, 'change'), putInForce))) throw staleVersion();
    });
  }

  /** Keeps a new listing, unless the upstream was replaced meanwhile. @throws GatewayError store_unavailable, shutting_down */
  keepListing(id: string, upstream: Upstream, facts: UpstreamFacts): Promise<void> {
    return this.#alone(async () => {
      if (this.#live.get(id)?.upstream !== upstream) return;
      await this.#options.records.write([{ kind: 'listing', id, body: facts }]);
    });
  }

  /** Refuses a name or prefix that was not there before and clashes with another gateway. @throws GatewayError name_taken */
  refuseCollisions(draft: GatewayDraft, before: ReadableGateway | undefined, facts = before?.upstream?.facts): void {
    const holder = before ? undefined : this.#options.slugHolder(draft.slug);
    if (holder !== undefined) throw slugTaken(draft.slug, holder);
    if (draft.name === before?.record.name && draft.prefix === before.record.prefix) return;
    const others = this.#live
      .list()
      .flatMap(({ record, upstream }) => (record ? [{ ...record, listing: upstream?.facts?.listing }] : []));
    refuseCollisions({ ...draft, listing: facts?.listing }, others);
  }

  /** Resolves once nothing is being written. */
  idle(): Promise<void> {
    return this.#exclusive.run('', () => Promise.resolve());
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#exclusive.run('', () => {
      this.#live.refuseWhenClosing();
      return work();
    });
  }
}

const noteOf = (id: string, by: string, reason: RotationReason): RotationNote => ({
  by,
  reason,
  scope: [keyOf('gateway', id)],
});

/** Somebody else changed `what` first. */
export function staleVersion(what = 'the gateway'): GatewayError {
  return new GatewayError('version_stale', `${what} was changed since it was read`, {
    hint: 'read it again, and repeat the change with the ETag as it came, quotes included',
  });
}
