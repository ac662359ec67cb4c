/**
 * store: typed, versioned, authenticated records over a StorageDriver.
 *
 * Owns the key grammar, the stored form, migrations and compare-and-set by version. Must not know what a body means,
 * how its secrets are sealed, or which product holds it. A MAC per record shows a changed or moved record; it cannot
 * show that somebody put an older copy of the same record back, or removed one.
 */
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Change, OnLink, StorageDriver } from './driver.ts';
import { idOf, isRecordId, keyOf, parseKey, RECORD_KINDS } from './keys.ts';
import type { RecordKind, RecordName } from './keys.ts';
import { currentSchema, migrateBody } from './migrations.ts';
import type { Migrations } from './migrations.ts';
import type { RecordSealer } from './sealer.ts';
import { authenticatedBytes, parseRecord, serializeRecord, TAMPERED_HINT, versionOf } from './stored-record.ts';

/** A record that was read and found authentic. */
export interface Versioned<T> {
  readonly id: string;
  readonly body: T;
  /** Changes on each write, also when the body did not; good as an ETag. */
  readonly version: string;
  /** The vault key that authenticates the record. */
  readonly kid: string;
}

/** One change of a write. */
export interface RecordChange {
  readonly kind: RecordKind;
  readonly id: string;
  /** What JSON can say, secrets sealed; null removes the record. */
  readonly body: object | null;
  /** The version that must be there now, null for «no record»; absent means whatever is there. */
  readonly expectedVersion?: string | null;
  /** The version the record gets, `newId()` of the caller's, for one who must know it; absent means one of its own. */
  readonly version?: string;
}

export interface RecordStoreOptions {
  readonly storage: StorageDriver;
  readonly sealer: RecordSealer;
  readonly events: EventSink;
  /** Default: every kind is at schema 1. */
  readonly migrations?: Migrations;
}

/** Reads and writes records; a record is authenticated before anybody sees it. */
export class RecordStore {
  readonly #storage: StorageDriver;
  readonly #sealer: RecordSealer;
  readonly #events: EventSink;
  readonly #migrations: Migrations;

  constructor({ storage, sealer, events, migrations = {} }: RecordStoreOptions) {
    this.#storage = storage;
    this.#sealer = sealer;
    this.#events = events;
    this.#migrations = migrations;
  }

  /**
   * One record, or undefined when there is none.
   *
   * @throws GatewayError store_unavailable; record_tampered, record_invalid, record_newer, vault_key_unknown when the
   * record is there and must not be used
   */
  async get<T>(kind: RecordKind, id: string): Promise<Versioned<T> | undefined> {
    if (!isRecordId(id)) return undefined;
    const text = await this.#read(keyOf(kind, id));
    return text === undefined ? undefined : (await this.#open<T>(kind, id, text)).record;
  }

  /**
   * Every usable record of a kind, by id; one that must not be used is left out and reported as `record.refused`.
   *
   * @throws GatewayError store_unavailable
   */
  async list<T>(kind: RecordKind): Promise<Versioned<T>[]> {
    const ids = await this.ids(kind);
    const texts = await Promise.all(ids.map((id) => this.#read(keyOf(kind, id))));
    const records: Versioned<T>[] = [];
    for (const [index, id] of ids.entries()) {
      const text = texts[index];
      if (text === undefined) continue;
      try {
        records.push((await this.#open<T>(kind, id, text)).record);
      } catch (error) {
        this.#reportRefused(keyOf(kind, id), error);
      }
    }
    return records;
  }

  /** The ids of a kind, sorted; says nothing about whether the records are usable. @throws GatewayError store_unavailable */
  async ids(kind: RecordKind): Promise<string[]> {
    const keys = await this.#storage.driver.getKeys(kind, {});
    // a driver's prefix match may be loose and a scan may name a key twice
    return [...new Set(keys.flatMap((key) => idOf(kind, key) ?? []))].toSorted();
  }

  /**
   * Makes all changes or none; false when a record is not at its expected version. Durable once it resolves.
   *
   * @throws GatewayError record_invalid, store_unavailable (the changes may have been made all the same)
   */
  async write(changes: readonly RecordChange[]): Promise<boolean> {
    const prepared = await Promise.all(changes.map((change) => this.#prepare(change)));
    const commit = prepared.filter((change) => change !== undefined);
    return commit.length === prepared.length && (await this.#storage.commit(commit));
  }

  /** Whether the store tells of changes; where not, `watch` is told nothing. */
  get canWatch(): boolean {
    return this.#storage.watch !== undefined;
  }

  /**
   * Tells of every record that any process wrote or removed, own writes included, and whether telling works
   * (`OnLink`). What is told is unauthenticated: a reason to read, no more. Ends with the store.
   *
   * @returns stops it
   */
  watch(onChange: (record: RecordName) => void, onLink: OnLink): () => void {
    const onKeys = (keys: readonly string[]): void => {
      for (const record of keys.map(parseKey)) if (record) onChange(record);
    };
    return this.#storage.watch?.(onKeys, onLink) ?? (() => undefined);
  }

  /**
   * Writes records of an older schema back in today's; safe to repeat, to interrupt and to run in two instances.
   *
   * @returns how many records were rewritten
   * @throws GatewayError record_newer, store_unavailable
   */
  async migrate(): Promise<number> {
    let rewritten = 0;
    for (const kind of RECORD_KINDS)
      for (const id of await this.ids(kind)) if (await this.#migrateRecord(kind, id)) rewritten++;
    return rewritten;
  }

  async #migrateRecord(kind: RecordKind, id: string): Promise<boolean> {
    for (;;) {
      const text = await this.#read(keyOf(kind, id));
      if (text === undefined) return false;
      const opened = await this.#open<object>(kind, id, text).catch((error: unknown) => {
        if (toGatewayError(error).code === 'record_newer') throw error;
        this.#reportRefused(keyOf(kind, id), error);
        return undefined;
      });
      if (!opened?.outdated) return false;
      const { body, version } = opened.record;
      if (await this.write([{ kind, id, body, expectedVersion: version }])) return true;
    }
  }

  async #prepare({ kind, id, body, expectedVersion, version = newId() }: RecordChange): Promise<Change | undefined> {
    const key = keyOf(kind, id);
    const value = body === null ? null : await this.#serialize(kind, key, body, version);
    if (expectedVersion === undefined) return { key, value };
    if (expectedVersion === null) return { key, value, expected: null };
    const expected = await this.#read(key);
    return expected !== undefined && versionOf(expected) === expectedVersion ? { key, value, expected } : undefined;
  }

  async #serialize(kind: RecordKind, key: string, body: object, version: string): Promise<string> {
    const record = { v: currentSchema(this.#migrations, kind), version, body };
    return serializeRecord({ ...record, mac: await this.#sealer.mac(authenticatedBytes(key, record)) });
  }

  async #open<T>(kind: RecordKind, id: string, text: string): Promise<{ record: Versioned<T>; outdated: boolean }> {
    const key = keyOf(kind, id);
    const stored = parseRecord(key, text);
    if (!(await this.#sealer.verifyMac(authenticatedBytes(key, stored), stored.mac, key)))
      throw new GatewayError('record_tampered', `${key} was changed outside the gateway`, { hint: TAMPERED_HINT });
    // authentic, so it is what this kind's writer wrote, brought to today's schema
    const body = migrateBody(this.#migrations, kind, stored.v, stored.body, key) as T;
    const outdated = stored.v < currentSchema(this.#migrations, kind);
    return { record: { id, body, version: stored.version, kid: stored.mac.kid }, outdated };
  }

  #reportRefused(record: string, error: unknown): void {
    if (!(error instanceof GatewayError)) throw error;
    this.#events('record.refused', { record, code: error.code, message: error.message });
  }

  async #read(key: string): Promise<string | undefined> {
    const value = await this.#storage.driver.getItem(key);
    if (value === null || value === undefined) return undefined;
    // some drivers parse JSON on the way out; the stored text is canonical, so this is what went in
    return typeof value === 'string' ? value : canonicalJson(value);
  }
}
