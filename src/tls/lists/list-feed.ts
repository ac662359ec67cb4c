import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { FetchBytes } from '../fetch-bytes.ts';
import { isOlder, readFetched, requireSigned } from './fetched-list.ts';
import type { KeptList, KeptLists } from './kept-lists.ts';

export interface ListFeedDeps {
  readonly fetchBytes: FetchBytes;
  readonly kept: KeptLists;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Told when another list is held than was read before. */
  readonly onNews: () => void;
}

/** What is known of a feed. */
export interface FeedStatus {
  readonly url: string;
  readonly fetchedAtMs: number;
  readonly nextUpdateMs: number | undefined;
}

/** As PEM it is as long as any other text of certificates may be. */
const LIMITS = { accept: 'application/pkix-crl', limitBytes: 768 * 1024, timeoutMs: 5_000 };
/** Between two looks at a server that has nothing better; and at most, whatever a list says. */
const RETRY_MS = 30_000;
const LONGEST_MS = 3_600_000;
const SHORTEST_MS = 1_000;
/** Whoever uses a list reads it again every minute. */
const UNUSED_MS = 300_000;

/**
 * The list behind one URL: fetched again after half the time it has left and at least hourly, never replaced by an older
 * one or by one its authority did not sign, and kept where the other instances and the next start find it.
 */
export class ListFeed {
  readonly url: string;
  readonly #deps: ListFeedDeps;
  readonly #authorities = new Map<string, Certificate>();
  #held: KeptList | undefined;
  #problem: GatewayError | undefined;
  #fetching: Promise<void> | undefined;
  #readAtMs = 0;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(url: string, deps: ListFeedDeps) {
    this.url = url;
    this.#deps = deps;
  }

  get status(): FeedStatus | undefined {
    const held = this.#held;
    return held && { url: this.url, fetchedAtMs: held.fetchedAtMs, nextUpdateMs: held.list.nextUpdateMs };
  }

  /**
   * The list as PEM, at once where any is known.
   *
   * @throws GatewayError crl_unavailable, crl_missing, crl_unreadable when none of these authorities signed it
   */
  async read(authorities: readonly Certificate[]): Promise<string> {
    this.#readAtMs = this.#deps.clock.monotonicMs();
    for (const authority of authorities) this.#authorities.set(authority.facts.sha256, authority);
    await this.#adopt();
    if (this.#held && !(await isOf(this.#held, [...this.#authorities.values()]))) this.#held = undefined;
    if (!this.#isUsable) await (this.#fetching ?? (this.#isDue ? this.#fetch() : undefined));
    this.#plan();
    const list = this.#held?.list;
    if (list === undefined) throw this.#problem ?? unavailable(this.url, 'it was not fetched yet');
    await requireSigned(list, authorities);
    return list.pem;
  }

  get #isUsable(): boolean {
    return this.#held !== undefined && !isOver(this.#held, this.#deps.clock.nowMs());
  }

  get #isDue(): boolean {
    return this.#deps.clock.monotonicMs() - this.#triedAtMs >= RETRY_MS;
  }

  /** Fetches it now, and tells whether that brought another one. Never rejects. */
  async fetch(): Promise<void> {
    const before = this.#held?.list.pem;
    await this.#adopt();
    if (this.#held?.list.pem === before || this.#problem) await this.#fetch();
    if (this.#held?.list.pem !== before && !this.#isClosed) this.#deps.onNews();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  /** Once for all who ask at the same time. */
  #fetch(): Promise<void> {
    return (this.#fetching ??= this.#fetchOnce().finally(() => (this.#fetching = undefined)));
  }

  async #fetchOnce(): Promise<void> {
    const { fetchBytes, kept, clock } = this.#deps;
    const before = this.#held;
    this.#triedAtMs = clock.monotonicMs();
    try {
      const list = await readFetched(await fetchBytes(this.url, LIMITS));
      await requireSigned(list, [...this.#authorities.values()]);
      if (before && before.list.issuer !== list.issuer) throw otherIssuer(this.url, list.issuer, before.list.issuer);
      if (before && isOlder(list, before.list)) throw replayed(this.url);
      const fetched = { list, fetchedAtMs: clock.nowMs() };
      if (this.#isClosed) return;
      this.#held = fetched;
      await kept.put(this.url, fetched);
      this.#report(isOver(fetched, clock.nowMs()) ? outdated(this.url) : undefined);
    } catch (error) {
      const { code, message } = toGatewayError(error);
      const isOwn = code === 'crl_missing' || code === 'crl_unreadable' || code === 'crl_not_current';
      this.#report(isOwn ? toGatewayError(error) : unavailable(this.url, message));
    }
  }

  /** Takes what another instance fetched, where that is newer. */
  async #adopt(): Promise<void> {
    const kept = await this.#deps.kept.get(this.url);
    if (kept === undefined || (this.#held && kept.fetchedAtMs <= this.#held.fetchedAtMs)) return;
    if (this.#held && kept.list.issuer === this.#held.list.issuer && isOlder(kept.list, this.#held.list)) return;
    this.#held = kept;
  }

  #plan(): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    this.#cancel = this.#deps.clock.after(this.#pauseMs(), () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    this.#cancel = undefined;
    if (this.#deps.clock.monotonicMs() - this.#readAtMs > UNUSED_MS) return;
    await this.fetch();
    this.#plan();
  }

  #pauseMs(): number {
    const { clock } = this.#deps;
    const held = this.#held;
    const nowMs = clock.nowMs();
    if (held === undefined || this.#problem || isOver(held, nowMs)) return RETRY_MS;
    const halfMs = ((held.list.nextUpdateMs ?? Number.POSITIVE_INFINITY) - nowMs) / 2;
    const hourLeftMs = held.fetchedAtMs + LONGEST_MS - nowMs;
    return Math.max(SHORTEST_MS, Math.min(halfMs, hourLeftMs));
  }

  /** Said once, until it is over or something else. */
  #report(problem: GatewayError | undefined): void {
    const before = this.#problem;
    this.#problem = problem;
    if (before?.code === problem?.code) return;
    const about = { source: this.url, kind: 'crl' } as const;
    if (problem === undefined) this.#deps.events('revocation.recovered', about);
    else this.#deps.events('revocation.failing', { ...about, code: problem.code, message: problem.message });
  }
}

const isOf = ({ list }: KeptList, authorities: readonly Certificate[]): Promise<boolean> =>
  requireSigned(list, authorities).then(
    () => true,
    () => false,
  );

const isOver = ({ list }: KeptList, nowMs: number): boolean =>
  list.nextUpdateMs !== undefined && list.nextUpdateMs < nowMs;

function unavailable(url: string, why: string): GatewayError {
  return new GatewayError('crl_unavailable', `the revocation list ${url} cannot be fetched: ${why}`, {
    hint: 'see whether its server runs and is reached from here; the last good list is used as long as there is one',
  });
}

const outdated = (url: string): GatewayError =>
  new GatewayError('crl_not_current', `${url} has a list that was to be replaced by now`, {
    hint: 'have its authority publish the next one',
  });

const otherIssuer = (url: string, issuer: string, before: string): GatewayError =>
  new GatewayError('crl_missing', `${url} has a list of ${issuer} in the place of that of ${before}`, {
    hint: 'give each list a URL of its own',
  });

const replayed = (url: string): GatewayError =>
  new GatewayError('crl_not_current', `${url} has an older list than it had before, which is not taken`, {
    hint: 'have its authority publish a list with a greater number and a later date',
  });
