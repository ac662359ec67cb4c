import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import type { SharedCounters } from '../store/driver.ts';
import { FailedLogins } from './failed-logins.ts';
import { LeasedBuckets } from './leased-buckets.ts';
import type { LimitRule } from './limit-rule.ts';
import { Limiter } from './limiter.ts';
import { SharedLink } from './shared-link.ts';
import { readLimits } from './short-form.ts';

export interface LimitsOptions {
  /** POSTERN_LIMITS: what holds while nobody says otherwise. */
  readonly own: string | undefined;
  /** Where instances keep count together; absent where each does for itself. */
  readonly counters: SharedCounters | undefined;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** What holds callers back: how much they ask for, and how often they fail to say who they are. */
export interface Limits {
  readonly limiter: Limiter;
  readonly guarded: FailedLogins['guarded'];
  /** Goes by these rules from now on, or by its own for undefined. */
  use(rules: readonly LimitRule[] | undefined): void;
}

/** @throws GatewayError request_invalid */
export function openLimits({ own, counters, clock, events }: LimitsOptions): Limits {
  const shared = counters && new SharedLink(counters, clock, events);
  const limiter = new Limiter({
    clock,
    events,
    share:
      shared && ((rule, rate, alone) => new LeasedBuckets({ name: rule.name, rate, own: alone, link: shared, clock })),
  });
  const logins = new FailedLogins(clock, events);
  const ownRules = readLimits(own ?? '');
  return {
    limiter,
    guarded: (authenticate) => logins.guarded(authenticate),
    use: (rules = ownRules) => {
      limiter.use(rules);
      logins.use(rules);
    },
  };
}
