import { callersOf } from '../identity/who.ts';
import type { Caller } from '../identity/who.ts';
import type { LimitRule } from '../limits/limit-rule.ts';
import { parseLimits } from '../limits/parse-limits.ts';
import type { PolicyDocument } from './document.ts';
import { RuleSet } from './rule-set.ts';

/** A policy, ready to be asked. */
export class Policy {
  readonly #rules: readonly { readonly isAbout: (caller: Caller) => boolean; readonly index: number }[];
  readonly #document: PolicyDocument;
  /** By the indices of their rules. */
  readonly #sets = new Map<string, RuleSet>();
  readonly #ofCallers = new WeakMap<Caller, RuleSet>();
  readonly #superseded = new AbortController();
  /** How much callers may have; undefined where the policy does not say. */
  readonly limits: readonly LimitRule[] | undefined;

  constructor(document: PolicyDocument) {
    this.#document = document;
    this.limits = document.limits && parseLimits(document.limits);
    this.#rules = document.rules.map(({ who }, index) => ({ isAbout: callersOf(who), index }));
  }

  /** Aborts once another policy is in force. */
  get superseded(): AbortSignal {
    return this.#superseded.signal;
  }

  /** Says that another policy is in force. */
  supersede(): void {
    this.#superseded.abort();
  }

  /** What applies to a caller; undefined while there are no rules. Worked out once for a caller, and as long as it lives. */
  rulesOf(caller: Caller): RuleSet | undefined {
    if (this.#rules.length === 0) return undefined;
    const known = this.#ofCallers.get(caller);
    if (known !== undefined) return known;
    const indices = this.#rules.filter(({ isAbout }) => isAbout(caller)).map(({ index }) => index);
    const set = this.#setOf(indices);
    this.#ofCallers.set(caller, set);
    return set;
  }

  #setOf(indices: readonly number[]): RuleSet {
    const key = indices.join();
    const set = this.#sets.get(key) ?? new RuleSet(indices.flatMap((index) => this.#document.rules[index] ?? []));
    this.#sets.set(key, set);
    return set;
  }
}

/** What holds while nothing is said: MCP for everyone recognised, administration for role admin. */
export const openPolicy = (): Policy => new Policy({ rules: [] });

/** What holds while nobody knows what was said: nothing, but for role admin to say it again. */
export const closedPolicy = (): Policy =>
  new Policy({
    rules: [{ name: 'repair', who: { role: 'admin' }, allow: { admin: ['policy:*', 'rotation:*'] } }],
  });
