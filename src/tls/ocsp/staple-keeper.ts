import { equalBytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { within } from '../../base/pause.ts';
import { mustStaple } from '../../pki/authority-info.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { FetchBytes } from '../fetch-bytes.ts';
import { fetchAnswer, respondersOf, type FetchedAnswer } from './fetch-answer.ts';
import { issuerOf } from './ocsp-guard.ts';

export interface StapleKeeperOptions {
  readonly fetchBytes: FetchBytes;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** Between two tries where there is no answer. */
const RETRY_MS = 30_000;
const SHORTEST_MS = 1_000;
/** So long a start, or another certificate, waits for its status. */
const SOON_MS = 1_000;

/**
 * The status of our own certificate, fetched ahead of the handshakes it is shown in and again after half of its time. A
 * handshake never waits for it: where there is none, none is shown.
 */
export class StapleKeeper {
  readonly #options: StapleKeeperOptions;
  /** Of the certificate presented last, and the one before, which handshakes under way still show. */
  #held: readonly Staple[] = [];

  constructor(options: StapleKeeperOptions) {
    this.#options = options;
  }

  /**
   * Keeps the status of a chain's first certificate from now on; resolves once it is there, or does not come soon. Never
   * rejects.
   */
  async keep(chain: readonly Certificate[]): Promise<void> {
    const [leaf] = chain;
    const [current, ...former] = this.#held;
    if (leaf === undefined || current?.leaf.facts.sha256 === leaf.facts.sha256) return;
    for (const one of former) one.close();
    const staple = new Staple(leaf, chain.slice(1), this.#options);
    this.#held = current ? [staple, current] : [staple];
    await within(this.#options.clock, SOON_MS, staple.fetch());
  }

  /** The response to show with a certificate; undefined where there is none that holds. */
  of(certificate: Uint8Array): Uint8Array | undefined {
    return this.#held.find(({ leaf }) => equalBytes(leaf.der, certificate))?.current;
  }

  close(): void {
    for (const one of this.#held) one.close();
  }
}

/** The status of one certificate. */
class Staple {
  readonly leaf: Certificate;
  readonly #above: readonly Certificate[];
  readonly #options: StapleKeeperOptions;
  #answer: FetchedAnswer | undefined;
  #isFailing = false;
  #isClosed = false;
  #cancel: () => void = () => undefined;

  constructor(leaf: Certificate, above: readonly Certificate[], options: StapleKeeperOptions) {
    this.leaf = leaf;
    this.#above = above;
    this.#options = options;
  }

  get current(): Uint8Array | undefined {
    const { clock } = this.#options;
    return this.#answer && this.#answer.nextUpdateMs > clock.nowMs() ? this.#answer.der : undefined;
  }

  async fetch(): Promise<void> {
    const { clock } = this.#options;
    try {
      const answer = await this.#fetch();
      if (answer.status !== 'good') throw notGood(answer.status);
      this.#answer = answer;
      this.#report(undefined);
    } catch (error) {
      this.#report(toGatewayError(error));
    }
    if (this.#isClosed) return;
    const halfMs = ((this.#answer?.nextUpdateMs ?? 0) - clock.nowMs()) / 2;
    const pauseMs = this.#isFailing ? RETRY_MS : Math.max(SHORTEST_MS, halfMs);
    this.#cancel = clock.after(pauseMs, () => void this.fetch());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #fetch(): Promise<FetchedAnswer> {
    const { fetchBytes, clock } = this.#options;
    const issuer = await issuerOf(this.leaf, this.#above);
    if (issuer === undefined) throw unnamed('the certificate of its issuer is not in the file, so nobody can be asked');
    let failure = unnamed('the certificate names no OCSP responder');
    for (const responder of respondersOf(this.leaf)) {
      try {
        return await fetchAnswer(responder, { certificate: this.leaf, issuer }, fetchBytes, clock.nowMs());
      } catch (error) {
        failure = toGatewayError(error);
      }
    }
    throw failure;
  }

  /** Said once, until it is over. */
  #report(error: GatewayError | undefined): void {
    const { events } = this.#options;
    const about = { source: this.leaf.facts.subject, kind: 'staple' } as const;
    if (error === undefined && this.#isFailing) events('revocation.recovered', about);
    if (error !== undefined && !this.#isFailing) {
      const consequence = mustStaple(this.leaf) ? '; it says that clients must refuse it without a staple' : '';
      events('revocation.failing', { ...about, code: error.code, message: `${error.message}${consequence}` });
    }
    this.#isFailing = error !== undefined;
  }
}

const unnamed = (message: string): GatewayError =>
  new GatewayError('ocsp_unavailable', `no status can be stapled: ${message}`, {
    hint: 'give the whole chain of the listener in CERT_FILE, of an authority that has a responder',
  });

const notGood = (status: string): GatewayError =>
  new GatewayError('ocsp_unavailable', `no status can be stapled: the responder calls our certificate ${status}`, {
    hint: 'have another certificate issued',
  });
