import type { ChangeFeed } from '../base/change-feed.ts';
import type { Clock } from '../base/clock.ts';
import { grantUpkeep } from '../policy/grant.ts';
import type { ListingNews } from '../upstream/own-listings.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** Between two readings of one upstream that says again and again that it changed; nobody notices the delay. */
const PACE_MS = 250;

/** Hears what upstreams say of their listings: reads them again where somebody waits for news, and passes the news on. */
export class ListingFollower {
  readonly #clock: Clock;
  readonly #changes: ChangeFeed;
  readonly #rereading = new WeakSet<Upstream>();

  constructor(clock: Clock, changes: ChangeFeed) {
    this.#clock = clock;
    this.#changes = changes;
  }

  /** Where nobody waits for news, a listing that changed is read when somebody asks for it. */
  heard(upstream: Upstream, news: ListingNews): void {
    if (news === 'new') this.#changes.announce();
    else if (this.#changes.isFollowed && !this.#rereading.has(upstream)) void this.#reread(upstream);
  }

  async #reread(upstream: Upstream): Promise<void> {
    this.#rereading.add(upstream);
    const couldBeRead = await upstream.listings.rereadDue(grantUpkeep('listing'));
    this.#clock.after(PACE_MS, () => {
      this.#rereading.delete(upstream);
      // what could not be read is tried again by upkeep, in its time
      if (couldBeRead && upstream.listings.isDue) this.heard(upstream, 'stale');
    });
  }
}
