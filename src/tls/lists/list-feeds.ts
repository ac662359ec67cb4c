import type { Certificate } from '../../pki/certificate.ts';
import type { RecordStore } from '../../store/records.ts';
import type { Dialer } from '../dialer.ts';
import { fetchOver } from '../fetch-bytes.ts';
import { KeptLists } from './kept-lists.ts';
import { ListFeed, type FeedStatus, type ListFeedDeps } from './list-feed.ts';

/** Revocation lists by URL, as PEM; each is checked to be of one of these authorities. */
export type ListReader = (url: string, authorities: readonly Certificate[]) => Promise<string>;

/** Lists that are fetched over a dialer, and kept in a store. */
export function openListFeeds({
  dialer,
  records,
  ...deps
}: Omit<ListFeedDeps, 'fetchBytes' | 'kept'> & {
  readonly dialer: Dialer;
  readonly records: RecordStore;
}): ListFeeds {
  return new ListFeeds({ ...deps, fetchBytes: fetchOver(dialer, deps.clock), kept: new KeptLists(records) });
}

/** Every revocation list that is fetched. */
export class ListFeeds {
  readonly #deps: ListFeedDeps;
  readonly #feeds = new Map<string, ListFeed>();

  constructor(deps: ListFeedDeps) {
    this.#deps = deps;
  }

  /**
   * The list of a URL, from here on kept up to date; at once where this or another instance has fetched it.
   *
   * @throws GatewayError crl_unavailable, crl_missing, crl_unreadable
   */
  readonly read: ListReader = (url, authorities) => {
    const feed = this.#feeds.get(url) ?? new ListFeed(url, this.#deps);
    this.#feeds.set(url, feed);
    return feed.read(authorities);
  };

  /** Fetches all of them now. Never rejects. */
  async fetch(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map((feed) => feed.fetch()));
  }

  get status(): readonly FeedStatus[] {
    return [...this.#feeds.values()].flatMap(({ status }) => status ?? []);
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
  }
}
