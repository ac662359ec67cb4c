import { toBase64Url } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import { Secret } from '../base/secret.ts';
import { digestOf } from '../identity/digest.ts';
import { KEPT_PREFIX, revocationId } from '../identity/kept-tokens.ts';
import type { KeptTokens } from '../identity/kept-tokens.ts';
import type { Grant } from '../policy/grant.ts';
import type { RotationParticipant } from '../rotation/participant.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { idOf, keyOf } from '../store/keys.ts';
import type { RecordChange, RecordStore } from '../store/records.ts';
import { RecordShelf } from './record-shelf.ts';
import type { Shelved } from './record-shelf.ts';
import type { RevocationRecord, RevocationWish, TokenRecord, TokenWish } from './token-records.ts';

export interface TokensOptions {
  readonly records: RecordStore;
  /** Every change is a generation, so that the other instances come to it. */
  readonly rotation: Pick<Rotation, 'commit'>;
  /** Where they are looked up when a caller comes with one. */
  readonly kept: KeptTokens;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** A token as people see it, without the token. */
export interface ListedToken extends TokenRecord {
  readonly id: string;
}

const TOKEN_BYTES = 32;
/** The longest a token of ours is made for; what was taken back is remembered as long. */
const LONGEST_MS = 3650 * 24 * 60 * 60 * 1000;

/** The tokens that are kept, and those that were taken back: changes them in the store, and holds them in memory. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #tokens: RecordShelf<TokenRecord>;
  readonly #revocations: RecordShelf<RevocationRecord>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TokensOptions) {
    const { records, events } = options;
    this.#options = options;
    this.#tokens = new RecordShelf('token', records, events);
    this.#revocations = new RecordShelf('revocation', records, events);
  }

  /** Reads all again; true when any is another than before. @throws GatewayError store_unavailable */
  reload(): Promise<boolean> {
    return this.#alone(async () => {
      try {
        const changed = [await this.#tokens.reload(), await this.#revocations.reload()];
        this.#options.kept.setRead(true);
        if (!changed.includes(true)) return false;
      } catch (error) {
        this.#options.kept.setRead(false);
        throw error;
      }
      this.#publish();
      return true;
    });
  }

  /** The tokens as a part that rotates. */
  get participant(): RotationParticipant {
    const isOurs = (key: string): boolean => idOf('token', key) !== undefined || idOf('revocation', key) !== undefined;
    return {
      name: 'tokens',
      apply: async ({ scope }) => (scope === 'all' || scope.some(isOurs)) && (await this.reload()),
      problems: () => [...this.#tokens.problems, ...this.#revocations.problems],
      files: () => [],
    };
  }

  /** In the order they were made; one that cannot be read is not among them. */
  list(): readonly ListedToken[] {
    return [...this.#tokens.all.values()]
      .flatMap(({ id, body }) => (body === undefined ? [] : [{ id, ...body }]))
      .toSorted((a, b) => a.issuedAt.localeCompare(b.issuedAt) || a.id.localeCompare(b.id));
  }

  /** In the order they were made. */
  revocations(): readonly RevocationRecord[] {
    return [...this.#revocations.all.values()]
      .flatMap(({ body }) => body ?? [])
      .toSorted((a, b) => a.revokedAt.localeCompare(b.revokedAt));
  }

  /** Makes a token; it is told here, and never again. @throws GatewayError store_unavailable */
  create({ subject: by }: Grant, wish: TokenWish): Promise<{ readonly listed: ListedToken; readonly token: Secret }> {
    return this.#alone(async () => {
      const token = new Secret(KEPT_PREFIX + toBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))));
      const id = newId();
      const hash = await digestOf(token.reveal());
      const record: TokenRecord = { ...wish, hash, issuedAt: this.#now(), issuedBy: by };
      await this.#write(by, [{ kind: 'token', id, body: record, expectedVersion: null }]);
      this.#options.events('token.created', { id, subject: record.subject, by });
      return { listed: { id, ...record }, token };
    });
  }

  /** Takes back a token that is kept, also one that cannot be read. @throws GatewayError not_found, store_unavailable */
  remove({ subject: by }: Grant, id: string): Promise<void> {
    return this.#alone(async () => {
      if (!this.#tokens.all.has(id))
        throw new GatewayError('not_found', 'no token has this id', { hint: 'GET /v1/tokens lists them' });
      await this.#write(by, [{ kind: 'token', id, body: null }]);
      this.#options.events('token.revoked', { what: 'token', name: id, by });
    });
  }

  /** Takes back a signed token by its `jti`, or everything a subject was given before a moment. @throws GatewayError store_unavailable */
  revoke({ subject: by }: Grant, wish: RevocationWish): Promise<RevocationRecord> {
    return this.#alone(async () => {
      const { what, name } = wish;
      const revokedAt = this.#now();
      const expiresAt = new Date(this.#options.clock.nowMs() + LONGEST_MS).toISOString();
      const usual = what === 'subject' ? { issuedBefore: revokedAt } : {};
      const record: RevocationRecord = { revokedAt, revokedBy: by, expiresAt, ...usual, ...wish };
      const kept = this.list().filter(
        ({ subject, issuedAt }) => what === 'subject' && subject === name && issuedAt < (record.issuedBefore ?? ''),
      );
      await this.#write(by, [
        { kind: 'revocation', id: await revocationId(what, name), body: record },
        ...kept.map(({ id }) => ({ kind: 'token', id, body: null }) as const),
      ]);
      this.#options.events('token.revoked', { what, name, by });
      return record;
    });
  }

  /** What has expired goes with the next change. */
  async #write(by: string, wanted: readonly RecordChange[]): Promise<void> {
    const changes = [...wanted, ...this.#expired(wanted)].map((change) => ({ version: newId(), ...change }));
    const note = { by, reason: 'change', scope: changes.map(({ kind, id }) => keyOf(kind, id)) } as const;
    const putInForce = (): void => {
      for (const { kind, id, body, version } of changes) {
        // what was just written is of the kind it was written as
        const record = body === null ? undefined : { id, body, version };
        if (kind === 'token') this.#tokens.put(id, record as Shelved<TokenRecord> | undefined);
        else this.#revocations.put(id, record as Shelved<RevocationRecord> | undefined);
      }
      this.#publish();
    };
    if (!(await this.#options.rotation.commit(changes, note, putInForce)))
      throw new GatewayError('store_unavailable', 'another record has the id that was made up');
  }

  #expired(wanted: readonly RecordChange[]): readonly RecordChange[] {
    const now = this.#now();
    const of = (
      kind: 'token' | 'revocation',
      all: ReadonlyMap<string, Shelved<{ readonly expiresAt: string | null }>>,
    ) =>
      [...all.values()]
        .filter(({ id, body }) => body?.expiresAt && body.expiresAt < now && !wanted.some((one) => one.id === id))
        .map(({ id }): RecordChange => ({ kind, id, body: null }));
    return [...of('token', this.#tokens.all), ...of('revocation', this.#revocations.all)];
  }

  #publish(): void {
    const revocations = [...this.#revocations.all.values()].map(({ id, body }) => [id, body ?? null] as const);
    this.#options.kept.use({ tokens: this.list(), revocations: new Map(revocations) });
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }

  /** One at a time, so that what is read does not undo what is written meanwhile. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
