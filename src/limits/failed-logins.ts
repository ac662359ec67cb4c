import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { makeRoom } from '../base/make-room.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Principal } from '../identity/principal.ts';
import { Buckets } from './buckets.ts';
import { callerAddress, networkOf } from './caller-address.ts';
import type { LimitRule } from './limit-rule.ts';
import { readLimits } from './short-form.ts';

/** The caller behind credentials. */
type Authenticate = (credentials: Credentials) => Principal | Promise<Principal>;

/** Where no rule says otherwise. */
const BY_DEFAULT = 'failures=20/minute';
const MAX_ADDRESSES = 10_000;
/** Between two events about one address. */
const SAID_AGAIN_MS = 60_000;
const MAX_SAID = 1_000;
/** What people choose and others guess; nobody guesses a signature or what is drawn at random. */
const GUESSABLE = /^basic /i;

/**
 * Slows down who fails again and again: past the limit of an address, a credential that is not good is answered
 * too_many_requests, and a password is not even looked at. Everything else that is good goes through, also from there,
 * so that nobody can shut out others. What was missing or has expired is no failure.
 */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #events: EventSink;
  #buckets: Buckets | undefined;
  #rule = '';
  readonly #saidAtMs = new Map<string, number>();

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
    this.use([]);
  }

  /** Goes by the rule for failures among these from now on, or by 20 a minute where there is none. */
  use(rules: readonly LimitRule[]): void {
    const { rate } = [...rules, ...readLimits(BY_DEFAULT)].find(({ per }) => per.includes('failures')) ?? {};
    const rule = JSON.stringify(rate);
    if (rate === undefined || rule === this.#rule) return;
    this.#rule = rule;
    this.#buckets = new Buckets(rate, MAX_ADDRESSES);
  }

  /** The same, for callers that do not fail too often. @throws GatewayError too_many_requests, and as `authenticate` */
  guarded(authenticate: Authenticate): Authenticate {
    return (credentials) => {
      // on the way of every call
      if ((this.#buckets?.size ?? 0) > 0) this.#refuseGuess(credentials);
      try {
        const caller = authenticate(credentials);
        if (!(caller instanceof Promise)) return caller;
        return caller.catch((error: unknown) => {
          throw this.#judged(credentials, error);
        });
      } catch (error) {
        throw this.#judged(credentials, error);
      }
    };
  }

  #refuseGuess(credentials: Credentials): void {
    if (!GUESSABLE.test(credentials.headers.get('authorization') ?? '')) return;
    const address = addressOf(credentials);
    const waitMs = this.#waitMs(address);
    if (waitMs > 0) throw this.#slowed(address, waitMs);
  }

  #waitMs(address: string | undefined): number {
    return address === undefined ? 0 : (this.#buckets?.waitMs(address, this.#clock.monotonicMs()) ?? 0);
  }

  /** What whoever failed is answered with. */
  #judged(credentials: Credentials, thrown: unknown): GatewayError {
    const error = toGatewayError(thrown);
    if (error.code !== 'unauthenticated' || error.details?.['credentials'] === 'missing') return error;
    const address = addressOf(credentials);
    if (address === undefined) return error;
    const waitMs = this.#waitMs(address);
    if (waitMs === 0) {
      this.#buckets?.take(address, this.#clock.monotonicMs());
      return error;
    }
    return this.#slowed(address, waitMs);
  }

  #slowed(address: string | undefined, waitMs: number): GatewayError {
    if (address !== undefined) this.#say(address, waitMs);
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    return new GatewayError(
      'too_many_requests',
      `too many credentials from this address were refused; try again in ${retryAfterSeconds} s`,
      { details: { retryAfterSeconds } },
    );
  }

  #say(address: string, retryInMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < (this.#saidAtMs.get(address) ?? Number.NEGATIVE_INFINITY) + SAID_AGAIN_MS) return;
    this.#saidAtMs.delete(address);
    makeRoom(this.#saidAtMs, MAX_SAID);
    this.#saidAtMs.set(address, nowMs);
    this.#events('caller.slowed', { address, retryInMs: Math.ceil(retryInMs) });
  }
}

/** What failures are counted under; undefined where nobody knows where the caller is. */
function addressOf({ headers, connection }: Credentials): string | undefined {
  const address = callerAddress(headers, connection);
  return address === undefined ? undefined : networkOf(address);
}
