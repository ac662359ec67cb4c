import type { Clock } from '../base/clock.ts';
import type { FeedStatus } from '../tls/lists/list-feed.ts';
import type { Metrics } from './metrics.ts';
import type { RevocationWatch } from './revocation-condition.ts';

/** Gauges of what revocation is looked up in. */
export function gaugeRevocation(
  metrics: Metrics,
  clock: Clock,
  lists: () => readonly FeedStatus[],
  watch: RevocationWatch,
): void {
  metrics.gauge('postern_crl_age_seconds', () =>
    lists().map(({ url, fetchedAtMs }) => [[sourceOf(url)], (clock.nowMs() - fetchedAtMs) / 1000]),
  );
  metrics.gauge('postern_crl_next_update_seconds', () =>
    lists().flatMap(({ url, nextUpdateMs }) =>
      nextUpdateMs === undefined ? [] : [[[sourceOf(url)], nextUpdateMs / 1000] as const],
    ),
  );
  metrics.gauge('postern_revocation_failing', () => [...watch.counts()].map(([kind, count]) => [[kind], count]));
}

/** Without the query, in which some servers want a password. */
const sourceOf = (url: string): string => url.replace(/\?.*$/, '');
