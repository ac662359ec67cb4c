import type { ChangeFeed } from '../../../base/change-feed.ts';
import type { Clock } from '../../../base/clock.ts';
import { viewId } from '../../../catalog/views.ts';
import type { VirtualServer } from '../../../catalog/virtual-server.ts';
import { LISTING_METHODS, listingsChangedBy } from '../../../wire/mcp.ts';
import type { ListingMethod } from '../../../wire/mcp.ts';
import type { KeptLists, ListTail } from './kept-lists.ts';

/** What is told when lists changed, with the field a modern caller asks for it by. */
export const LIST_NEWS = [
  { method: 'notifications/tools/list_changed', filter: 'toolsListChanged' },
  { method: 'notifications/prompts/list_changed', filter: 'promptsListChanged' },
  { method: 'notifications/resources/list_changed', filter: 'resourcesListChanged' },
] as const;

/** One of these notifications. */
export type ListNews = (typeof LIST_NEWS)[number]['method'];

export interface ListChangesOptions {
  readonly clock: Clock;
  readonly changes: ChangeFeed;
  readonly lists: KeptLists;
  /** What stands at the address of a server now, as those see it who had this one. */
  readonly again: (server: VirtualServer) => VirtualServer | undefined;
}

/** Changes that come so close together are told as one: an upstream that restarts, a reload of many gateways. */
const SETTLE_MS = 50;

type Tell = (news: ListNews) => void;
type Lists = ReadonlyMap<ListingMethod, ListTail>;

/** A server whose changes somebody wants to hear of. */
interface Followed {
  readonly server: VirtualServer;
  /** What was told last; nothing while the server is not there. */
  told: Lists;
  readonly listeners: Set<Tell>;
}

/**
 * Tells callers of joined servers that what is listed there changed: once for each change, and only when something
 * reads differently, whoever brought it about.
 */
export class ListChanges {
  readonly #options: ListChangesOptions;
  readonly #followed = new Map<string, Followed>();
  #unfollow: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(options: ListChangesOptions) {
    this.#options = options;
  }

  /** Tells of changes of a server until `signal` aborts. */
  follow(server: VirtualServer, tell: Tell, signal: AbortSignal): void {
    if (signal.aborted) return;
    const key = viewId(server);
    const followed = this.#followed.get(key) ?? { server, told: this.#listsOf(server), listeners: new Set<Tell>() };
    this.#followed.set(key, followed);
    followed.listeners.add(tell);
    this.#unfollow ??= this.#options.changes.follow(() => this.#lookSoon());
    signal.addEventListener('abort', () => this.#forget(key, followed, tell), { once: true });
  }

  #forget(key: string, followed: Followed, tell: Tell): void {
    followed.listeners.delete(tell);
    if (followed.listeners.size === 0) this.#followed.delete(key);
    if (this.#followed.size > 0) return;
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #lookSoon(): void {
    this.#cancelLook ??= this.#options.clock.after(SETTLE_MS, () => {
      this.#cancelLook = undefined;
      for (const followed of this.#followed.values()) this.#look(followed);
    });
  }

  #look(followed: Followed): void {
    const before = followed.told;
    followed.told = this.#listsOf(followed.server);
    for (const { method } of LIST_NEWS) {
      const changed = listingsChangedBy(method).some(
        (listing) => !saysTheSame(before.get(listing), followed.told.get(listing)),
      );
      if (changed) for (const tell of followed.listeners) tell(method);
    }
  }

  #listsOf(known: VirtualServer): Lists {
    const { again, lists } = this.#options;
    const server = again(known);
    if (server === undefined) return new Map();
    return new Map(LISTING_METHODS.map((method) => [method, lists.tail(server.catalogue, method)]));
  }
}

function saysTheSame(before: ListTail | undefined, after: ListTail | undefined): boolean {
  if (before === after) return true;
  if (before === undefined || after === undefined || before.length !== after.length) return false;
  return before.every((byte, index) => byte === after[index]);
}
