import { utf8 } from '../base/bytes.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { Secret } from '../base/secret.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import { fieldContext } from '../vault/sealed-fields.ts';
import type { Sealed, Vault } from '../vault/vault.ts';
import { ExpiredRecords, expiringId, expiryOf } from './expiring-records.ts';

export interface MailboxOptions {
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly clock: Clock;
}

interface LetterBody {
  readonly text: Sealed;
}

/** How long somebody may be waited for; a person may have to be asked. */
const LIFETIME_MS = 60 * 60 * 1000;
const FIRST_LOOK_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const MAX_LETTER_CHARACTERS = 4 * 1024 * 1024;

/**
 * Messages from any instance to the one that waits for them: where a caller answers a question, its answer may arrive
 * at another replica than the one that holds the question's call. On one instance nothing is stored; between instances
 * a letter goes through the store, which is looked at only while somebody waits.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #expired: ExpiredRecords;
  readonly #waiting = new Map<string, (text: string) => void>();

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#expired = new ExpiredRecords(options.records, options.clock, 'letter');
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
    if (here) return here(text);
    if (text.length > MAX_LETTER_CHARACTERS)
      throw new GatewayError(
        'request_too_large',
        `expected an answer of at most ${MAX_LETTER_CHARACTERS} characters, met ${text.length}`,
      );
    const body: LetterBody = { text: { sealed: await vault.seal(new Secret(text), contextOf(recordId)) } };
    await records.write([{ kind: 'letter', id: recordId, body }, ...(await this.#expired.removals())]);
  }

  /**
   * The first message posted to an address of this instance.
   *
   * @throws the reason of `signal`; GatewayError store_unavailable, and why a letter cannot be believed
   */
  wait(address: string, signal: CancelSignal): Promise<string> {
    const [recordId = ''] = address.split('.');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let cancelLook = (): void => undefined;
    const look = (pauseMs: number): void => {
      cancelLook = this.#options.clock.after(pauseMs, () => {
        this.#collect(recordId).then((text) => {
          if (text !== undefined) resolve(text);
          else if (this.#waiting.has(recordId)) look(Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
        }, reject);
      });
    };
    const onAbort = (): void => reject(signal.reason);
    this.#waiting.set(recordId, resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else look(FIRST_LOOK_MS);
    return promise.finally(() => {
      // the same named address may be waited for again by now
      if (this.#waiting.get(recordId) === resolve) this.#waiting.delete(recordId);
      signal.removeEventListener('abort', onAbort);
      cancelLook();
    });
  }

  async #signed(recordId: string, scope: string): Promise<string> {
    const { kid, tag } = await this.#options.vault.mac(authenticatedBytes(recordId, scope));
    return `${recordId}.${tag}.${kid}`;
  }

  async #collect(id: string): Promise<string | undefined> {
    const { records, vault } = this.#options;
    const letter = await records.get<LetterBody>('letter', id);
    if (letter === undefined) return undefined;
    const text = await vault.open(letter.body.text.sealed, contextOf(id));
    await records.write([{ kind: 'letter', id, body: null }]);
    return text.reveal();
  }
}

const authenticatedBytes = (recordId: string, scope: string) => utf8(JSON.stringify(['letter', recordId, scope]));
const contextOf = (recordId: string): string => fieldContext(keyOf('letter', recordId), ['text']);
