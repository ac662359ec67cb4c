import type { ChangeFeed } from '../base/change-feed.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { Grant } from '../policy/grant.ts';
import { staleVersion } from '../registry/committer.ts';
import { Exclusive } from '../registry/exclusive.ts';
import { historyAfter } from '../registry/history.ts';
import type { ChangeOptions } from '../registry/gateway-changes.ts';
import { inOrder } from '../registry/snapshot.ts';
import type { RegisteredGateway, RegistrySnapshot } from '../registry/snapshot.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordChange, RecordStore } from '../store/records.ts';
import { loadServer } from './load-server.ts';
import type { ReadableServer, SavedServer } from './load-server.ts';
import { refuseSharedNames, refuseTaken } from './server-collisions.ts';
import { applyPatch, draftOf } from './server-draft.ts';
import type { Surroundings } from './server-draft.ts';
import type { ServerPatch } from './server-fields.ts';
import type { ServerCreate } from './server-input.ts';
import type { ServerDraft, ServerRecord } from './server-record.ts';
import { ServerSnapshot } from './server-snapshot.ts';

export interface ServersOptions {
  readonly records: RecordStore;
  /** Every change is a generation, so that the other instances come to it. */
  readonly rotation: Pick<Rotation, 'commit'>;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Told when a virtual server is another. */
  readonly changes: ChangeFeed;
  /** The gateways that virtual servers are made over. */
  readonly registry: { snapshot(): RegistrySnapshot; list(): readonly RegisteredGateway[] };
}

/** The virtual servers of this instance: changes them in the store, and serves them from memory. */
export class Servers {
  readonly #options: ServersOptions;
  readonly #exclusive = new Exclusive();
  #saved: ReadonlyMap<string, SavedServer> = new Map();
  #snapshot: ServerSnapshot | undefined;
  /** What the snapshot was made of. */
  #gateways: RegistrySnapshot | undefined;
  #closed = false;

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /** Every address there is now; another object once a gateway or a virtual server changed. */
  snapshot(): ServerSnapshot {
    const gateways = this.#options.registry.snapshot();
    if (this.#snapshot === undefined || this.#gateways !== gateways) {
      this.#snapshot = new ServerSnapshot(gateways, this.#records());
      this.#gateways = gateways;
    }
    return this.#snapshot;
  }

  /** Every virtual server in the order they were made, those that cannot be read last. */
  list(): readonly SavedServer[] {
    return inOrder(this.#saved.values());
  }

  /** A virtual server by id or slug. @throws GatewayError not_found */
  find(idOrSlug: string): SavedServer {
    const found = this.#saved.get(idOrSlug) ?? this.list().find(({ record }) => record?.slug === idOrSlug);
    if (found) return found;
    throw new GatewayError('not_found', 'no virtual server has this id or slug', {
      hint: 'GET /v1/servers lists them',
    });
  }

  /** Who has this slug or id, in words; undefined when no virtual server has. */
  holderOf(slug: string): string | undefined {
    const holder = this.#records().find((record) => record.slug === slug || record.id === slug);
    return holder && `the virtual server ${holder.name}`;
  }

  /** Reads all records again; true when one is another than before. @throws GatewayError store_unavailable */
  async reload(): Promise<boolean> {
    return this.#alone(async () => {
      const ids = await this.#options.records.ids('server');
      const loaded = (await Promise.all(ids.map((id) => this.#load(id)))).filter((server) => server !== undefined);
      const isSame =
        loaded.length === this.#saved.size && loaded.every((server) => this.#saved.get(server.id) === server);
      if (!isSame) this.#swap(loaded);
      return !isSame;
    });
  }

  /** Saves a new virtual server. @throws GatewayError name_taken, config_invalid, store_unavailable */
  create(grant: Grant, input: ServerCreate): Promise<ReadableServer> {
    return this.#alone(() => {
      const draft = draftOf(input.id ?? newId(), input, this.#surroundings());
      this.#refuse(draft, undefined);
      return this.#commit(grant, draft, undefined);
    });
  }

  /** Changes a virtual server; sessions over it go on. @throws GatewayError not_found, version_stale, name_taken, config_invalid, store_unavailable */
  update(grant: Grant, idOrSlug: string, patch: ServerPatch, options: ChangeOptions = {}): Promise<ReadableServer> {
    return this.#alone(async () => {
      const before = await this.#latest(idOrSlug, options);
      const draft = applyPatch(before.record, patch, this.#surroundings());
      this.#refuse(draft, before.record);
      return this.#commit(grant, draft, before);
    });
  }

  /** Puts a virtual server into service, or takes it out. @throws GatewayError not_found, version_stale, store_unavailable */
  setActive(grant: Grant, idOrSlug: string, enabled: boolean, options: ChangeOptions = {}): Promise<ReadableServer> {
    return this.#alone(async () => {
      const before = await this.#latest(idOrSlug, options);
      return before.record.enabled === enabled ? before : this.#commit(grant, { ...before.record, enabled }, before);
    });
  }

  /** Forgets a virtual server, also one that cannot be read. @throws GatewayError not_found, version_stale, store_unavailable */
  async remove(grant: Grant, idOrSlug: string, options: ChangeOptions = {}): Promise<void> {
    await this.#alone(async () => {
      const { id, record } = this.find(idOrSlug);
      const expected = record && { expectedVersion: (await this.#latest(id, options)).version };
      const removal = { kind: 'server', id, body: null, ...expected } as const;
      await this.#write(removal, grant.subject, () => this.#put(id, undefined));
      this.#options.events('server.removed', { server: record?.slug ?? id });
    });
  }

  /** Lets a change under way finish; nothing is changed any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#exclusive.run('', () => Promise.resolve());
  }

  async #commit(grant: Grant, draft: ServerDraft, before: ReadableServer | undefined): Promise<ReadableServer> {
    const { clock, events } = this.#options;
    const { id } = draft;
    const now = new Date(clock.nowMs()).toISOString();
    const record = { ...draft, history: historyAfter(before?.record.history, grant, now) };
    const version = newId();
    const change = { kind: 'server', id, body: record, version, expectedVersion: before?.version ?? null } as const;
    const saved = { id, record, version };
    await this.#write(change, grant.subject, () => this.#put(id, saved));
    events('server.saved', { server: record.slug });
    return saved;
  }

  async #write(change: RecordChange, by: string, putInForce: () => void): Promise<void> {
    const note = { by, reason: 'change', scope: [keyOf('server', change.id)] } as const;
    if (!(await this.#options.rotation.commit([change], note, putInForce))) throw stale();
  }

  /** The virtual server as it is stored, also when another process wrote it since. */
  async #latest(idOrSlug: string, { ifVersions }: ChangeOptions): Promise<ReadableServer> {
    const { id } = this.find(idOrSlug);
    this.#put(id, await this.#load(id));
    const latest = this.find(id);
    if (latest.record === undefined) throw latest.refusal;
    if (ifVersions !== undefined && !ifVersions.includes(latest.version)) throw stale();
    return latest;
  }

  #load(id: string): Promise<SavedServer | undefined> {
    return loadServer(id, this.#saved.get(id), this.#options);
  }

  /** Only what is new is looked at: names that came to meet later must not be in the way of another change. */
  #refuse(draft: ServerDraft, before: ServerRecord | undefined): void {
    const { registry } = this.#options;
    const others = this.#records().filter((record) => record !== before);
    if (draft.name !== before?.name) refuseTaken(draft, others, registry.list());
    if (draft.members !== before?.members) refuseSharedNames(draft, registry.snapshot().entries);
  }

  #surroundings(): Surroundings {
    const gateways = this.#options.registry.list().map(({ id, record }) => ({ id, slug: record?.slug ?? id }));
    return { gateways, everything: this.snapshot().everything };
  }

  #records(): readonly ServerRecord[] {
    return this.list().flatMap(({ record }) => record ?? []);
  }

  #put(id: string, server: SavedServer | undefined): void {
    if (server === this.#saved.get(id)) return;
    const others = [...this.#saved.values()].filter((other) => other.id !== id);
    this.#swap(server === undefined ? others : [...others, server]);
  }

  #swap(servers: readonly SavedServer[]): void {
    this.#saved = new Map(servers.map((server) => [server.id, server]));
    this.#snapshot = undefined;
    this.#options.changes.announce();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#exclusive.run('', async () => {
      if (this.#closed) throw new GatewayError('shutting_down', 'the gateway is shutting down');
      return work();
    });
  }
}

const stale = (): GatewayError => staleVersion('the virtual server');
