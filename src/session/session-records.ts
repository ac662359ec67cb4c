import type { Clock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { fieldContext } from '../vault/sealed-fields.ts';
import type { Sealed, Vault } from '../vault/vault.ts';
import { ExpiredRecords, expiringId } from './expiring-records.ts';

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

/**
 * What instances tell each other about sessions: that one was ended before its time, and what of it changed or was too
 * large for its id. Most sessions have no record. Those nobody needs any more go with the next write, at most once an
 * hour.
 */
export class SessionRecords<Content extends object> {
  readonly #records: RecordStore;
  readonly #vault: Vault;
  readonly #expired: ExpiredRecords;

  constructor(records: RecordStore, vault: Vault, clock: Clock) {
    this.#records = records;
    this.#vault = vault;
    this.#expired = new ExpiredRecords(records, clock, 'session');
  }

  /** Calls with the id of each session of which any instance wrote something, where the store tells; until it is closed. */
  watch(onChange: (sessionId: string) => void): void {
    this.#records.watch(
      ({ kind, id }) => {
        if (kind === 'session') onChange(id.slice(id.indexOf('-') + 1));
      },
      () => undefined,
    );
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
      if (await this.#records.write([written, ...(await this.#expired.removals())])) return { ended: false, content };
    }
  }

  /** Marks a session as ended, for all instances. @throws GatewayError store_unavailable */
  async end(session: RecordedSession): Promise<void> {
    const body: SessionBody = { expiresAtMs: session.expiresAtMs, ended: true };
    await this.#records.write([
      { kind: 'session', id: recordIdOf(session), body },
      ...(await this.#expired.removals()),
    ]);
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
}

const recordIdOf = ({ id, expiresAtMs }: RecordedSession): string => expiringId(id, expiresAtMs);
const contextOf = (recordId: string): string => fieldContext(keyOf('session', recordId), ['content']);
