import { abortSignalOf } from '../base/cancel-signal.ts';
import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { LATEST_LEGACY_VERSION } from '../wire/eras.ts';
import { SESSION_ID } from '../wire/headers.ts';
import { untilAborted, withDeadline } from './deadline.ts';
import {
  ask,
  discard,
  legacyRequest,
  modernRequest,
  refusalOf,
  type Answer,
  type Params,
  type Send,
} from './own-request.ts';
import { initialize, type OpenedSession } from './probe-eras.ts';
import { SharedSessionKeeper, type SharedSession } from './shared-session.ts';

const CALL_TIMEOUT_MS = 30_000;
const FAREWELL_TIMEOUT_MS = 2_000;

export interface OwnCallsOptions {
  readonly clock: Clock;
  readonly send: Send;
  /** Ends everything when the upstream is closed. */
  readonly lifetime: AbortSignal;
  readonly onRenewed: () => void;
  /** The session of the upstream that took the place of this one, once there is nothing to send over here. */
  readonly successor: () => Promise<SharedSession> | undefined;
}

/** What the gateway asks of an upstream for itself, and the legacy session it does so in. */
export class OwnCalls {
  readonly sessions: SharedSessionKeeper;
  readonly #options: OwnCallsOptions;
  #lastId = 0;

  constructor(options: OwnCallsOptions) {
    this.#options = options;
    this.sessions = new SharedSessionKeeper(() => this.#openSession(), options.onRenewed, options.successor);
  }

  /** One request in the modern era. */
  askModern(method: string, params: Params, signal: CancelSignal | undefined): Promise<Answer> {
    return this.#withDeadline(signal, (ends) =>
      ask(this.#options.send, modernRequest(++this.#lastId, method, params), ends),
    );
  }

  /**
   * One request in the shared session, which is opened again once if the upstream lost it: a lost session is answered
   * before the request is looked at.
   *
   * @throws GatewayError upstream_session_lost when the new session is lost at once
   */
  askLegacy(method: string, params: Params, signal: CancelSignal | undefined): Promise<Answer> {
    return this.#withDeadline(signal, async (ends) => {
      const askIn = (session: SharedSession) =>
        ask(this.#options.send, legacyRequest(session.nextId(), method, params, session.headers), ends);
      const session = await untilAborted(this.sessions.get(), ends);
      const answer = await askIn(session);
      if (answer.status !== 404 || !(SESSION_ID in session.headers)) return answer;
      const retried = await askIn(await untilAborted(session.renew(), ends));
      if (retried.status !== 404) return retried;
      throw new GatewayError('upstream_session_lost', 'the upstream forgot a session right after it was opened', {
        hint: 'a load balancer without affinity in front of the upstream does this',
      });
    });
  }

  /** Takes over a session that was opened while connecting, or ends it: calls may be under way in one that is open. */
  async adopt(session: OpenedSession): Promise<void> {
    if (this.sessions.current) await this.farewell(session.headers);
    else this.sessions.adopt(session);
  }

  /** Tells the upstream that a session of ours ends; it matters to nobody whether that is heard. */
  async farewell(headers: Readonly<Record<string, string>> | undefined): Promise<void> {
    if (headers === undefined || !(SESSION_ID in headers)) return;
    const { clock, lifetime, send } = this.#options;
    await withDeadline(clock, FAREWELL_TIMEOUT_MS, lifetime, async (signal) =>
      discard(await send({ method: 'DELETE', headers, mcpMethod: 'DELETE', signal })),
    ).catch(() => undefined);
  }

  async #openSession(): Promise<OpenedSession> {
    const session = await this.#withDeadline(undefined, (signal) => initialize(this.#options.send, signal));
    if ('headers' in session) return session;
    const refusal = refusalOf({ status: session.status, headers: {} });
    if (refusal) throw refusal;
    throw new GatewayError('upstream_protocol', `the upstream does not speak ${LATEST_LEGACY_VERSION} or older`, {
      hint: 'call it with a client of the 2026-07-28 revision',
    });
  }

  #withDeadline<T>(signal: CancelSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, lifetime } = this.#options;
    return withDeadline(
      clock,
      CALL_TIMEOUT_MS,
      signal ? AbortSignal.any([abortSignalOf(signal), lifetime]) : lifetime,
      work,
    );
  }
}
