import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { makeRoom } from '../../base/make-room.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { ocspAnswer, type OcspAnswer } from '../../pki/ocsp-answer.ts';
import type { FetchBytes } from '../fetch-bytes.ts';
import { fetchAnswer, ocspUnavailable, respondersOf } from './fetch-answer.ts';

export interface OcspClientOptions {
  readonly fetchBytes: FetchBytes;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** What is to be found out. */
export interface OcspQuestion {
  readonly certificate: Certificate;
  /** Who signed it. */
  readonly issuer: Certificate;
  /** A response the peer brought along. */
  readonly stapled?: Uint8Array | undefined;
}

/** What is known of a certificate, and until when. */
export interface OcspVerdict {
  readonly status: OcspAnswer['status'];
  readonly untilMs: number;
  /** Why nothing is known of it. */
  readonly error?: GatewayError;
}

interface Known {
  readonly verdict: OcspVerdict;
  /** Answers from before this one are replayed. */
  readonly thisUpdateMs: number;
}

const MAX_KNOWN = 10_000;
const MAX_SOURCES = 1_000;
/** A responder that fails is asked so seldom for the same certificate. */
const PAUSE_MS = 5_000;
const GRACE_MS = 30_000;

/** Asks responders, each once for all who want to know the same, and remembers what they say as long as it holds. */
export class OcspClient {
  readonly #options: OcspClientOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new SingleFlight<OcspVerdict>();
  readonly #failing = new Map<string, string>();

  constructor(options: OcspClientOptions) {
    this.#options = options;
  }

  /** What is known of a certificate now; never rejects. */
  async ask(question: OcspQuestion): Promise<OcspVerdict> {
    const id = `${question.certificate.facts.sha256} ${question.issuer.facts.spkiPin}`;
    await this.#takeStapled(id, question);
    const known = this.#known.get(id);
    if (known && known.verdict.untilMs > this.#options.clock.nowMs()) return known.verdict;
    return this.#asking.run(id, () => this.#ask(id, question));
  }

  async #takeStapled(id: string, { certificate, issuer, stapled }: OcspQuestion): Promise<void> {
    if (stapled === undefined) return;
    try {
      this.#keep(id, await ocspAnswer(stapled, certificate, issuer, this.#options.clock.nowMs()));
    } catch {
      // a staple that is of no use is none
    }
  }

  async #ask(id: string, { certificate, issuer }: OcspQuestion): Promise<OcspVerdict> {
    const { fetchBytes, clock } = this.#options;
    let error = new GatewayError(
      'ocsp_unavailable',
      `the certificate of ${certificate.facts.subject} names no responder`,
    );
    for (const responder of respondersOf(certificate)) {
      try {
        const answer = await fetchAnswer(responder, { certificate, issuer }, fetchBytes, clock.nowMs());
        if (!this.#keep(id, answer)) throw ocspUnavailable(responder, 'it is older than one seen before');
        this.#report(responder, undefined);
        return this.#known.get(id)?.verdict ?? this.#verdictOf(answer);
      } catch (thrown) {
        error = toGatewayError(thrown);
        this.#report(responder, error);
      }
    }
    const before = this.#known.get(id);
    // what was revoked does not become unknown by silence
    const status = before?.verdict.status === 'revoked' ? 'revoked' : 'unknown';
    const verdict = { status, untilMs: clock.nowMs() + PAUSE_MS, error } as const;
    this.#remember(id, { verdict, thisUpdateMs: before?.thisUpdateMs ?? 0 });
    return verdict;
  }

  /** False for an answer from before one that is known: a revocation is not undone by what was said earlier. */
  #keep(id: string, answer: OcspAnswer): boolean {
    if (answer.thisUpdateMs < (this.#known.get(id)?.thisUpdateMs ?? 0)) return false;
    this.#remember(id, { verdict: this.#verdictOf(answer), thisUpdateMs: answer.thisUpdateMs });
    return true;
  }

  #remember(id: string, known: Known): void {
    if (!this.#known.has(id)) makeRoom(this.#known, MAX_KNOWN);
    this.#known.set(id, known);
  }

  /** An answer that is over, by no more than clocks differ, counts a little longer. */
  #verdictOf({ status, nextUpdateMs }: OcspAnswer): OcspVerdict {
    const nowMs = this.#options.clock.nowMs();
    return { status, untilMs: nextUpdateMs > nowMs ? nextUpdateMs : nowMs + GRACE_MS };
  }

  /** Said once for each responder, until it is over. */
  #report(responder: string, error: GatewayError | undefined): void {
    const about = { source: responder, kind: 'ocsp' } as const;
    if (error === undefined) {
      if (this.#failing.delete(responder)) this.#options.events('revocation.recovered', about);
    } else if (!this.#failing.has(responder)) {
      makeRoom(this.#failing, MAX_SOURCES);
      this.#failing.set(responder, error.message);
      this.#options.events('revocation.failing', { ...about, code: error.code, message: error.message });
    }
  }
}
