import { matcherOf } from '../base/patterns.ts';
import type { Principal } from '../identity/principal.ts';
import { callersOf } from '../identity/who.ts';
import { networkOf } from './caller-address.ts';
import type { BucketState } from './buckets.ts';
import type { CountedBy, LimitRule } from './limit-rule.ts';

/** What a call is about, as far as limits go. */
export interface LimitedCall {
  readonly principal: Principal;
  /** Where the caller is; undefined where nobody knows. */
  readonly address: string | undefined;
  /** The gateway it leads to; undefined where it concerns none, or several. */
  readonly gateway: { readonly id: string; readonly slug: string } | undefined;
  /** The tool it calls, as the gateway names it. */
  readonly tool: string | undefined;
}

/** What keeps count of a rate, by key. */
export interface RateCounter {
  /** A promise where others have to be asked before the rest can be. Never rejects. */
  ready?(key: string, nowMs: number): Promise<void> | undefined;
  /** Milliseconds until one may be taken; 0 for now. */
  waitMs(key: string, nowMs: number): number;
  /** Takes one. */
  take(key: string, nowMs: number): void;
  state(key: string, nowMs: number): BucketState;
}

/** Tells apart whom a rule counts apart; undefined where a call lacks what it is counted by. */
type PartOf = (call: LimitedCall) => string | undefined;

const PARTS: Readonly<Record<Exclude<CountedBy, 'failures'>, PartOf>> = {
  subject: ({ principal }) => principal.subject,
  certificate: ({ principal: { certificate } }) => certificate?.sha256 ?? certificate?.subject,
  gateway: ({ gateway }) => gateway?.id,
  tool: ({ gateway, tool }) => (gateway && tool !== undefined ? `${gateway.id} ${tool}` : undefined),
  address: ({ address }) => address && networkOf(address),
};

/** One rule at work. */
export class Meter {
  readonly rule: LimitRule;
  readonly rates: RateCounter | undefined;
  /** Whether it has to be known where a call leads. */
  readonly looksAtTarget: boolean;
  readonly isMeant: (principal: Principal) => boolean;
  readonly #parts: readonly PartOf[];
  readonly #isAboutGateway: ((slug: string) => boolean) | undefined;
  readonly #isAboutTool: ((name: string) => boolean) | undefined;
  readonly #running = new Map<string, number>();

  constructor(rule: LimitRule, rates: RateCounter | undefined) {
    const { who, gateways, tools, per } = rule;
    this.rule = rule;
    this.rates = rates;
    this.isMeant = callersOf(who);
    this.#parts = per.flatMap((one) => (one === 'failures' ? [] : PARTS[one]));
    this.#isAboutGateway = gateways && matcherOf(gateways);
    this.#isAboutTool = tools && matcherOf(tools);
    const isByTarget = per.some((one) => one === 'gateway' || one === 'tool');
    this.looksAtTarget = isByTarget || gateways !== undefined || tools !== undefined;
  }

  /** What a call is counted under; undefined where the rule is not about it. */
  keyOf(call: LimitedCall): string | undefined {
    const { gateway, tool } = call;
    if (this.#isAboutGateway && !(gateway && this.#isAboutGateway(gateway.slug))) return undefined;
    if (this.#isAboutTool && !(tool !== undefined && this.#isAboutTool(tool))) return undefined;
    const [only, ...others] = this.#parts;
    const first = only?.(call);
    if (others.length === 0 || first === undefined) return first;
    let key = lengthened(first);
    for (const partOf of others) {
      const part = partOf(call);
      if (part === undefined) return undefined;
      key += lengthened(part);
    }
    return key;
  }

  /** Whether as much is under way as may be. */
  isBusy(key: string): boolean {
    const { concurrency } = this.rule;
    return concurrency !== undefined && (this.#running.get(key) ?? 0) >= concurrency;
  }

  begin(key: string): void {
    if (this.rule.concurrency !== undefined) this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
  }

  end(key: string): void {
    if (this.rule.concurrency === undefined) return;
    const left = (this.#running.get(key) ?? 1) - 1;
    if (left === 0) this.#running.delete(key);
    else this.#running.set(key, left);
  }

  /** How much is under way. */
  get running(): number {
    let sum = 0;
    for (const count of this.#running.values()) sum += count;
    return sum;
  }
}

/** So that no two lists of parts read the same. */
const lengthened = (part: string): string => `${part.length}:${part}`;
