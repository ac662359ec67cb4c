import type { JWK } from 'jose';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import type { Fetched } from './json-fetcher.ts';
import { keysIn } from './key-set.ts';
import type { IssuerKey } from './key-set.ts';

/** How long keys are taken for current: what the issuer says, between floor and ceiling. */
const FRESH_MS = { floor: 60_000, usual: 600_000, ceiling: 3_600_000 };
/** How long they go on being used while the issuer does not answer. */
const STALE_MS = 3_600_000;
/** Between two looks at an issuer that failed, or for a key nobody knows. */
const PAUSE_MS = 30_000;
/** For metadata and keys together: a caller waits for it. */
const FETCH_MS = 5_000;
/** Of a token without `kid`. */
const MAX_TRIED = 8;

export interface IssuerKeysOptions {
  readonly issuer: string;
  readonly fetchKeys: (signal: AbortSignal) => Promise<Fetched>;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Told when the keys are others than before. */
  readonly onChange: () => void;
}

interface Known {
  readonly keys: readonly IssuerKey[];
  /** What they were read from, to tell whether they changed. */
  readonly text: string;
  /** On the monotonic clock. */
  readonly freshUntilMs: number;
}

/** The keys of one issuer, fetched when a token needs them. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #flights = new SingleFlight<void>();
  #known: Known | undefined;
  /** On the monotonic clock. */
  #pausedUntilMs = 0;
  #isFailing = false;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * The keys a token may be signed with. An unknown `kid` has them fetched once more, but not again and again.
   *
   * @throws GatewayError issuer_unavailable while there are none that may be used
   */
  async find(kid: string | undefined, algorithm: string): Promise<readonly { key: JWK; algorithm: string }[]> {
    const { clock } = this.#options;
    if (this.#known === undefined || clock.monotonicMs() >= this.#known.freshUntilMs) await this.#look();
    let found = this.#matching(kid, algorithm);
    if (found.length === 0) {
      await this.#look();
      found = this.#matching(kid, algorithm);
    }
    return found.slice(0, MAX_TRIED).map(({ jwk }) => ({ key: jwk, algorithm }));
  }

  #matching(kid: string | undefined, algorithm: string): readonly IssuerKey[] {
    const { issuer, clock } = this.#options;
    if (this.#known === undefined || clock.monotonicMs() >= this.#known.freshUntilMs + STALE_MS)
      throw new GatewayError('issuer_unavailable', `the keys of ${issuer} cannot be had at the moment`, {
        hint: 'try again later: the token may be good; the log of the gateway says why as issuer.failed',
      });
    return this.#known.keys.filter(
      (key) =>
        key.algorithms.some((name) => name === algorithm) &&
        (key.kid === undefined || kid === undefined || key.kid === kid),
    );
  }

  async #look(): Promise<void> {
    if (this.#options.clock.monotonicMs() < this.#pausedUntilMs) return;
    await this.#flights.run('', () => this.#fetch());
  }

  async #fetch(): Promise<void> {
    const { issuer, clock, events, onChange } = this.#options;
    try {
      const { body, maxAgeMs = FRESH_MS.usual } = await this.#fetched();
      const keys = await keysIn(body);
      const text = JSON.stringify(keys);
      const freshMs = Math.min(FRESH_MS.ceiling, Math.max(FRESH_MS.floor, maxAgeMs));
      const before = this.#known;
      this.#known = { keys, text, freshUntilMs: clock.monotonicMs() + freshMs };
      if (before?.text !== text || this.#isFailing) events('issuer.read', { issuer, keys: keys.length });
      this.#isFailing = false;
      if (before !== undefined && before.text !== text) onChange();
    } catch (error) {
      const { code, message } = toGatewayError(error);
      this.#isFailing = true;
      events('issuer.failed', { issuer, code, message });
    }
    this.#pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
  }

  #fetched(): Promise<Fetched> {
    const { clock, fetchKeys } = this.#options;
    const timer = new AbortController();
    return new Promise((resolve, reject) => {
      const cancel = clock.after(FETCH_MS, () => {
        const late = new GatewayError('upstream_timeout', `it did not answer within ${FETCH_MS} ms`);
        timer.abort(late);
        reject(late);
      });
      fetchKeys(timer.signal).then(resolve, reject).finally(cancel);
    });
  }
}
