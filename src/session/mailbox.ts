import { utf8 } from '../base/bytes.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { makeRoom } from '../base/make-room.ts';
import { Secret } from '../base/secret.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordName } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { fieldContext } from '../vault/sealed-fields.ts';
import type { Sealed, Vault } from '../vault/vault.ts';
import { Bell } from './bell.ts';
import { ExpiredRecords, expiringId, expiryOf } from './expiring-records.ts';

export interface MailboxOptions {
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly clock: Clock;
}

interface LetterBody {
  readonly text: Sealed;
}

interface Waiting {
  readonly take: (text: string) => void;
  /** Rung when it is time to look. */
  readonly bell: Bell;
}

/** How long somebody may be waited for; a person may have to be asked. */
const LIFETIME_MS = 60 * 60 * 1000;
/** A letter may have come before anybody waited; most waits are over by then, and cost no look. */
const FIRST_LOOK_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** While the store tells of letters. */
const TOLD_PAUSE_MS = 5_000;
const MAX_EARLY_COUNT = 1_000;
const MAX_LETTER_CHARACTERS = 4 * 1024 * 1024;

/**
 * Messages from any instance to the one that waits for them: where a caller answers a question, its answer may arrive
 * at another replica than the one that holds the question's call. On one instance nothing is stored; between instances
 * a letter goes through the store, which is looked at only while somebody waits: when it tells of a letter, and every
 * now and then.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #expired: ExpiredRecords;
  /** By the id of the letter. */
  readonly #waiting = new Map<string, Waiting>();
  #isTold = false;
  /** Letters the store told of before anybody here waited; most are for others. */
  readonly #early = new Set<string>();

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#expired = new ExpiredRecords(options.records, options.clock, 'letter');
    // until the store is closed, with which the mailbox ends
    options.records.watch(
      (record) => this.#onRecord(record),
      (up) => {
        this.#isTold = up;
        for (const { bell } of this.#waiting.values()) bell.ring();
      },
    );
  }

  /** A new address that can be given away: only what is posted for the same `scope` arrives, so that nobody answers for another. */
  address(scope: string): Promise<string> {
    return this.#signed(expiringId(newId(), this.#options.clock.nowMs() + LIFETIME_MS), scope);
  }

  /**
   * The address every instance works out for the same name in the same scope, for those who cannot be told one.
   *
   * @param expiresAtMs milliseconds since the epoch; part of the name
   */
  async namedAddress(scope: string, name: string, expiresAtMs: number): Promise<string> {
    const { tag } = await this.#options.vault.mac(utf8(JSON.stringify(['name', scope, name])));
    return this.#signed(expiringId(tag, expiresAtMs), scope);
  }

  /**
   * Posts a message to an address; to whoever waits here at once, else through the store.
   *
   * @throws GatewayError request_invalid for an address that was not given for this scope or has expired,
   * request_too_large, store_unavailable
   */
  async post(address: string, scope: string, text: string): Promise<void> {
    const { vault, records, clock } = this.#options;
    const [recordId = '', tag = '', ...kid] = address.split('.');
    const mac = { kid: kid.join('.'), tag };
    const isOurs = await vault.verifyMac(authenticatedBytes(recordId, scope), mac, 'letter').catch(() => false);
    if (!isOurs || expiryOf(recordId) < clock.nowMs())
      throw new GatewayError('request_invalid', 'the answer is to nothing that was asked here, or comes too late');
    const here = this.#waiting.get(recordId);
    if (here) return here.take(text);
    if (text.length > MAX_LETTER_CHARACTERS)
      throw new GatewayError(
        'request_too_large',
        `expected an answer of at most ${MAX_LETTER_CHARACTERS} characters, met ${text.length}`,
      );
    const body: LetterBody = { text: { sealed: await vault.seal(new Secret(text), contextOf(recordId)) } };
    await records.write([{ kind: 'letter', id: recordId, body }, ...(await this.#expired.removals())]);
  }

  /**
   * The first message posted to an address of this instance. While the store is gone the wait goes on.
   *
   * @throws the reason of `signal`; GatewayError when a letter cannot be believed
   */
  wait(address: string, signal: CancelSignal): Promise<string> {
    const [recordId = ''] = address.split('.');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const waiting: Waiting = { take: resolve, bell: new Bell(this.#options.clock) };
    const onAbort = (): void => reject(signal.reason);
    this.#waiting.set(recordId, waiting);
    if (this.#early.delete(recordId)) waiting.bell.ring();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else this.#lookOut(recordId, waiting).catch(reject);
    return promise.finally(() => {
      // the same named address may be waited for again by now
      if (this.#waiting.get(recordId) === waiting) this.#waiting.delete(recordId);
      signal.removeEventListener('abort', onAbort);
      waiting.bell.stop();
    });
  }

  #onRecord({ kind, id }: RecordName): void {
    if (kind !== 'letter') return;
    const waiting = this.#waiting.get(id);
    if (waiting) return waiting.bell.ring();
    makeRoom(this.#early, MAX_EARLY_COUNT);
    this.#early.add(id);
  }

  async #signed(recordId: string, scope: string): Promise<string> {
    const { kid, tag } = await this.#options.vault.mac(authenticatedBytes(recordId, scope));
    return `${recordId}.${tag}.${kid}`;
  }

  /** Looks for a letter until it is found, or the bell is stopped. */
  async #lookOut(id: string, { take, bell }: Waiting): Promise<void> {
    let pauseMs = FIRST_LOOK_MS;
    while (await bell.wait(pauseMs)) {
      const text = await this.#collect(id).catch(unlessStoreIsGone);
      if (text !== undefined) return take(text);
      pauseMs = this.#isTold ? TOLD_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  async #collect(id: string): Promise<string | undefined> {
    const { records, vault } = this.#options;
    const letter = await records.get<LetterBody>('letter', id);
    if (letter === undefined) return undefined;
    const text = await vault.open(letter.body.text.sealed, contextOf(id));
    // one that cannot be removed now goes when it has expired
    await records.write([{ kind: 'letter', id, body: null }]).catch(unlessStoreIsGone);
    return text.reveal();
  }
}

/** Whoever waits goes on to, and finds the letter once the store is back. */
function unlessStoreIsGone(error: unknown): undefined {
  if (toGatewayError(error).code !== 'store_unavailable') throw error;
}

const authenticatedBytes = (recordId: string, scope: string) => utf8(JSON.stringify(['letter', recordId, scope]));
const contextOf = (recordId: string): string => fieldContext(keyOf('letter', recordId), ['text']);
