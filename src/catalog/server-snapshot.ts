import type { RegistrySnapshot } from '../registry/snapshot.ts';
import { serverFrom } from './selection.ts';
import type { ServerRecord } from './server-record.ts';
import { joinedServer, singleServer } from './virtual-server.ts';
import type { VirtualServer } from './virtual-server.ts';

/** Every address there is at one moment. A server is made when it is first asked for, and lives as long as this. */
export class ServerSnapshot {
  readonly #gateways: RegistrySnapshot;
  /** By id and by slug. */
  readonly #records: ReadonlyMap<string, ServerRecord>;
  readonly #made = new Map<string, VirtualServer>();

  constructor(gateways: RegistrySnapshot, records: readonly ServerRecord[]) {
    this.#gateways = gateways;
    this.#records = new Map(
      records.flatMap((record) => [[record.slug, record] as const, [record.id, record] as const]),
    );
  }

  /** Every active gateway at once. */
  get everything(): VirtualServer {
    return this.#once('*', () => joinedServer(this.#gateways.entries.filter(({ enabled }) => enabled)));
  }

  /**
   * One address, by slug or id: a gateway alone, or a virtual server; undefined for what is not there or out of service.
   * Should both have the name, as two instances may let it happen at once, the gateway has it.
   */
  named(name: string): VirtualServer | undefined {
    const entry = this.#gateways.bySlug(name) ?? this.#gateways.byId(name);
    if (entry !== undefined) return entry.enabled ? this.#once(entry.id, () => singleServer(entry)) : undefined;
    const record = this.#records.get(name);
    return record?.enabled ? this.of(record) : undefined;
  }

  /** What a record describes, also one that is not in service. */
  of(record: ServerRecord): VirtualServer {
    return this.#once(record.id, () => serverFrom(record, this.#gateways.entries));
  }

  #once(key: string, make: () => VirtualServer): VirtualServer {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }
}
