import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import type { Principal } from '../identity/principal.ts';
import { Buckets } from './buckets.ts';
import type { BucketState } from './buckets.ts';
import { Meter } from './meter.ts';
import type { LimitedCall, RateCounter } from './meter.ts';
import type { LimitRule, Rate } from './limit-rule.ts';

/** How a call stands with one rule. */
export interface Standing extends BucketState {
  readonly rule: LimitRule;
}

/** The answer to a call: it may go on, and has to say when it has ended; or it may not. */
export type Admission =
  | { readonly allowed: true; readonly standings: readonly Standing[]; readonly release: () => void }
  | {
      readonly allowed: false;
      /** The one that holds it up the longest. */
      readonly rule: LimitRule;
      readonly retryInMs: number;
      readonly standings: readonly Standing[];
    };

export interface LimiterOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Keeps count of a rate together with other instances; absent where each counts for itself. */
  readonly share?: ((rule: LimitRule, rate: Rate, own: Buckets) => RateCounter) | undefined;
}

/** Of one rule, at some 100 bytes each. */
const MAX_BUCKETS = 10_000;
/** When to come back where others have to end first: nobody knows. */
const BUSY_RETRY_MS = 1_000;

interface Use {
  readonly meter: Meter;
  readonly key: string;
}

/** Whether calls may go on, by rules that can be replaced at any time; what was used under a rule that stays is kept. */
export class Limiter {
  readonly #options: LimiterOptions;
  #meters: readonly Meter[] = [];
  #looksAtTarget = false;
  #looksAtAddress = false;
  /** Which rules are about a caller, worked out once. */
  #byCaller = new WeakMap<Principal, readonly Meter[]>();

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  /** Holds calls to these rules from now on. */
  use(rules: readonly LimitRule[]): void {
    const before = new Map(this.#meters.map((meter) => [JSON.stringify(meter.rule), meter]));
    this.#meters = rules
      .filter(({ per }) => !per.includes('failures'))
      .map((rule) => before.get(JSON.stringify(rule)) ?? this.#meterOf(rule));
    this.#looksAtTarget = this.#meters.some(({ looksAtTarget }) => looksAtTarget);
    this.#looksAtAddress = this.#meters.some(({ rule }) => rule.per.includes('address'));
    this.#byCaller = new WeakMap();
  }

  /** Whether there is any rule for calls. */
  get isOn(): boolean {
    return this.#meters.length > 0;
  }

  /** Whether a rule asks where calls lead. */
  get looksAtTarget(): boolean {
    return this.#looksAtTarget;
  }

  /** Whether a rule asks where callers are. */
  get looksAtAddress(): boolean {
    return this.#looksAtAddress;
  }

  /** Calls and streams under way that some rule counts; one counts once for each. */
  get running(): number {
    return this.#meters.reduce((sum, { running }) => sum + running, 0);
  }

  /** Whether a call may go on; one that may not uses nothing up. A promise only where other instances have to be asked. */
  admit(call: LimitedCall): Admission | Promise<Admission> {
    const uses = this.#usesOf(call);
    if (uses.length === 0) return UNLIMITED;
    const nowMs = this.#options.clock.monotonicMs();
    let waits: Promise<void>[] | undefined;
    for (const { meter, key } of uses) {
      const wait = meter.rates?.ready?.(key, nowMs);
      if (wait) (waits ??= []).push(wait);
    }
    return waits ? Promise.all(waits).then(() => this.admit(call)) : this.#decide(call, uses, nowMs);
  }

  #meterOf(rule: LimitRule): Meter {
    if (rule.rate === undefined) return new Meter(rule, undefined);
    const own = new Buckets(rule.rate, MAX_BUCKETS);
    return new Meter(rule, this.#options.share?.(rule, rule.rate, own) ?? own);
  }

  #usesOf(call: LimitedCall): readonly Use[] {
    const uses: Use[] = [];
    for (const meter of this.#metersFor(call.principal)) {
      const key = meter.keyOf(call);
      if (key !== undefined) uses.push({ meter, key });
    }
    return uses;
  }

  #metersFor(principal: Principal): readonly Meter[] {
    let meters = this.#byCaller.get(principal);
    if (meters === undefined) {
      meters = this.#meters.filter(({ isMeant }) => isMeant(principal));
      this.#byCaller.set(principal, meters);
    }
    return meters;
  }

  #decide({ principal, gateway, tool }: LimitedCall, uses: readonly Use[], nowMs: number): Admission {
    let refusal: { readonly rule: LimitRule; readonly retryInMs: number } | undefined;
    for (const { meter, key } of uses) {
      const waitMs = meter.rates?.waitMs(key, nowMs) ?? 0;
      const retryInMs = meter.isBusy(key) ? Math.max(waitMs, BUSY_RETRY_MS) : waitMs;
      if (retryInMs > (refusal?.retryInMs ?? 0)) refusal = { rule: meter.rule, retryInMs };
    }
    if (refusal) {
      const { subject } = principal;
      this.#options.events('call.limited', { rule: refusal.rule.name, subject, gateway: gateway?.slug, tool });
      return { allowed: false, ...refusal, standings: standingsOf(uses, nowMs) };
    }
    for (const { meter, key } of uses) {
      meter.rates?.take(key, nowMs);
      meter.begin(key);
    }
    return { allowed: true, standings: standingsOf(uses, nowMs), release: releaseOf(uses) };
  }
}

const NOTHING = (): void => undefined;
const UNLIMITED: Admission = { allowed: true, standings: [], release: NOTHING };

function standingsOf(uses: readonly Use[], nowMs: number): readonly Standing[] {
  const standings: Standing[] = [];
  for (const { meter, key } of uses) {
    if (meter.rates === undefined) continue;
    const { left, fullInMs } = meter.rates.state(key, nowMs);
    standings.push({ rule: meter.rule, left, fullInMs });
  }
  return standings;
}

/** Ends each use once. */
function releaseOf(uses: readonly Use[]): () => void {
  if (uses.every(({ meter }) => meter.rule.concurrency === undefined)) return NOTHING;
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    for (const { meter, key } of uses) meter.end(key);
  };
}

/** Whether anything has to be told when a call has ended. */
export const isHeld = ({ release }: { readonly release: () => void }): boolean => release !== NOTHING;
