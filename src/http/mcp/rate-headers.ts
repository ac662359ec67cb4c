import { intervalMs } from '../../limits/limit-rule.ts';
import type { LimitRule } from '../../limits/limit-rule.ts';
import type { Standing } from '../../limits/limiter.ts';

/** The field that tells how a caller stands. @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
export const RATE_LIMIT = 'ratelimit';

/** What is left of each rate, and the seconds until all of it is there again. */
export function standingText(standings: readonly Standing[]): string {
  let text = '';
  for (const { rule, left, fullInMs } of standings)
    text += `${text === '' ? '' : ', '}"${rule.name}";r=${left};t=${Math.ceil(fullInMs / 1000)}`;
  return text;
}

/** The headers of a call that has to wait. */
export function refusalHeaders(
  rule: LimitRule,
  retryInMs: number,
  standings: readonly Standing[],
): Readonly<Record<string, string>> {
  const policies = new Set([...standings.map((standing) => standing.rule), rule]);
  const isBusy = !standings.some((standing) => standing.rule === rule && standing.left === 0);
  const text = standingText(standings.filter((standing) => !(isBusy && standing.rule === rule)));
  const busy = `"${rule.name}";r=0`;
  return {
    'retry-after': String(Math.max(1, Math.ceil(retryInMs / 1000))),
    [RATE_LIMIT]: isBusy ? [busy, text].filter((part) => part !== '').join(', ') : text,
    'ratelimit-policy': [...policies].map((policy) => policyText(policy, isBusy && policy === rule)).join(', '),
  };
}

/** A quota for a window: a bucket, and the time in which it fills. */
function policyText({ name, rate, concurrency }: LimitRule, isBusy: boolean): string {
  if (isBusy || rate === undefined) return `"${name}";q=${concurrency ?? 0};qu="concurrent-requests"`;
  return `"${name}";q=${rate.burst};w=${Math.max(1, Math.round((rate.burst * intervalMs(rate)) / 1000))}`;
}
