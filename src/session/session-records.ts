import type { Clock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { fieldContext } from '../vault/sealed-fields.ts';
import type { Sealed, Vault } from '../vault/vault.ts';

/** What of a session its record needs. */
export interface RecordedSession {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** As stored; what is sealed tells how to speak in the caller's place. */
interface SessionBody {
  readonly expiresAtMs: number;
  readonly ended?: true;
  readonly content?: Sealed;
}

/** What instances know of a session beyond its id. */
export interface StoredSession<Content> {
  readonly ended: boolean;
  readonly content: Content | undefined;
}

const SWEEP_INTERVAL_MS = 60 * 60 * 1000;
const MAX_SWEPT_COUNT = 1_000;

/**
 * What instances tell each other about sessions: that one was ended before its time, and what of it changed or was too
 * large for its id. Most sessions have no record. Those nobody needs any more go with the next write, at most once an
 * hour.
 */
export class SessionRecords<Content extends object> {
  readonly #records: RecordStore;
  readonly #vault: Vault;
  readonly #clock: Clock;
  #nextSweepMs = 0;

  constructor(records: RecordStore, vault: Vault, clock: Clock) {
    this.#records = records;
    this.#vault = vault;
    this.#clock = clock;
  }

  /** @throws GatewayError store_unavailable, and why a record cannot be believed */
  async read(session: RecordedSession): Promise<StoredSession<Content> | undefined> {
    return (await this.#read(session))?.stored;
  }

  /**
   * Replaces the content by what `change` makes of it; again, when another instance wrote in between. Of a session that
   * was ended nothing is kept.
   *
   * @throws GatewayError store_unavailable, and why a record cannot be believed
   */
  async change(
    session: RecordedSession,
    change: (content: Content | undefined) => Content,
  ): Promise<StoredSession<Content>> {
    const id = recordIdOf(session);
    for (;;) {
      const found = await this.#read(session);
      if (found?.stored.ended) return found.stored;
      const content = change(found?.stored.content);
      const sealed = await this.#vault.seal(new Secret(JSON.stringify(content)), contextOf(id));
      const body: SessionBody = { expiresAtMs: session.expiresAtMs, content: { sealed } };
      const written = { kind: 'session', id, body, expectedVersion: found?.version ?? null } as const;
      if (await this.#records.write([written])) return { ended: false, content };
    }
  }

  /** Marks a session as ended, for all instances. @throws GatewayError store_unavailable */
  async end(session: RecordedSession): Promise<void> {
    const body: SessionBody = { expiresAtMs: session.expiresAtMs, ended: true };
    const removals = (await this.#expired()).map((id) => ({ kind: 'session', id, body: null }) as const);
    await this.#records.write([{ kind: 'session', id: recordIdOf(session), body }, ...removals]);
  }

  async #read(session: RecordedSession) {
    const id = recordIdOf(session);
    const record = await this.#records.get<SessionBody>('session', id);
    if (record === undefined) return undefined;
    const { ended = false, content: sealed } = record.body;
    const opened = sealed && (await this.#vault.open(sealed.sealed, contextOf(id)));
    // only `change` writes content, and sealing is authenticated
    const content = opened && (JSON.parse(opened.reveal()) as Content);
    return { version: record.version, stored: { ended, content } };
  }

  async #expired(): Promise<readonly string[]> {
    if (this.#clock.monotonicMs() < this.#nextSweepMs) return [];
    this.#nextSweepMs = this.#clock.monotonicMs() + SWEEP_INTERVAL_MS;
    const nowSeconds = this.#clock.nowMs() / 1000;
    const ids = await this.#records.ids('session');
    return ids.filter((id) => Number.parseInt(id, 10) < nowSeconds).slice(0, MAX_SWEPT_COUNT);
  }
}

/** Opens with the second the session ends by itself, so that looking for old records reads keys only. */
const recordIdOf = ({ id, expiresAtMs }: RecordedSession): string => `${Math.ceil(expiresAtMs / 1000)}-${id}`;
const contextOf = (recordId: string): string => fieldContext(keyOf('session', recordId), ['content']);
