import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { refusalOf } from '../../upstream/own-request.ts';
import { initialize } from '../../upstream/probe-eras.ts';
import type { SharedSession } from '../../upstream/shared-session.ts';
import type { UpstreamRequest } from '../../upstream/transport.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { SESSION_ID } from '../../wire/headers.ts';
import { Leg } from './leg.ts';
import type { Caller } from './leg.ts';

/** Sessions of one upstream that are open for callers at once, in use and idle. */
const MAX_OPEN_COUNT = 512;
/** How long a session waits for the next call of its caller. */
const IDLE_MS = 60_000;
const OPEN_TIMEOUT_MS = 30_000;

/** A session lent to one call. */
export interface Loan {
  readonly leg: Leg;
  /** Gives the session back; one that may still say something about the call is not used again. Idempotent. */
  giveBack(reusable: boolean): void;
  /** A session in the place of this one, which the upstream lost. @throws GatewayError as `lend` */
  renew(signal: CancelSignal): Promise<Loan>;
}

interface Idle {
  readonly key: string;
  readonly leg: Leg;
  readonly caller: Caller;
  readonly stopWaiting: () => void;
}

/**
 * The legacy sessions one upstream has with modern callers.
 *
 * Whom a legacy server asks is decided by the session, so a call that may be asked something has one to itself; it is
 * kept for the next call of the same subject with the same capabilities. Calls that cannot be asked share one.
 */
export class UpstreamSessions {
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  /** Least recently used first. */
  #idle: Idle[] = [];
  #openCount = 0;
  /** Sessions that are being ended at the server. */
  readonly #endings = new Set<Promise<void>>();
  #closed = false;

  constructor(upstream: Upstream, clock: Clock) {
    this.#upstream = upstream;
    this.#clock = clock;
    upstream.beforeClose(() => this.#close());
  }

  /** Whether the server lets a session choose how much it logs there. */
  get haveLevels(): boolean {
    return this.#upstream.facts?.legacy?.capabilities['logging'] !== undefined;
  }

  /**
   * A session for one call.
   *
   * @param alone whether it must not be shared with other callers, whatever they may be asked
   * @throws GatewayError bridge_busy, upstream_protocol, upstream_timeout and dial codes
   */
  async lend(caller: Caller, alone: boolean, signal: CancelSignal): Promise<Loan> {
    const shared = await this.#upstream.sharedSession(caller.grant, signal);
    // without sessions nothing distinguishes one from another
    if (!(SESSION_ID in shared.headers) || !(alone || Object.keys(caller.capabilities).length > 0))
      return this.#share(shared);
    return this.#lendOwn(caller, signal);
  }

  /**
   * A session of its own, initialized now.
   *
   * @throws GatewayError as `lend`
   */
  async open(caller: Caller, signal: CancelSignal): Promise<Loan> {
    this.#reserve();
    try {
      return this.#loan(keyOf(caller, this.#upstream), await this.#initialize(caller, signal), caller);
    } catch (error) {
      this.#openCount--;
      throw error;
    }
  }

  #share(session: SharedSession): Loan {
    return {
      leg: new Leg(this.#upstream, session, this.#clock),
      giveBack: () => undefined,
      renew: async () => this.#share(await session.renew()),
    };
  }

  async #lendOwn(caller: Caller, signal: CancelSignal): Promise<Loan> {
    const key = keyOf(caller, this.#upstream);
    const idle = this.#idle.findLast((one) => one.key === key);
    if (idle === undefined) return this.open(caller, signal);
    this.#take(idle);
    return this.#loan(key, idle.leg, caller);
  }

  #loan(key: string, leg: Leg, caller: Caller): Loan {
    let lent = true;
    const giveBack = (reusable: boolean): void => {
      if (!lent) return;
      lent = false;
      if (reusable && !this.#closed) this.#keep(key, leg, caller);
      else this.#end(leg, caller);
    };
    return {
      leg,
      giveBack,
      renew: (signal) => {
        giveBack(false);
        return this.open(caller, signal);
      },
    };
  }

  #keep(key: string, leg: Leg, caller: Caller): void {
    const idle: Idle = {
      key,
      leg,
      caller,
      stopWaiting: this.#clock.after(IDLE_MS, () => this.#dismiss(idle)),
    };
    this.#idle.push(idle);
  }

  #take(idle: Idle): void {
    idle.stopWaiting();
    this.#idle = this.#idle.filter((one) => one !== idle);
  }

  /** Makes room for one more session, at the cost of the one that lay idle longest. */
  #reserve(): void {
    if (this.#closed) throw new GatewayError('channel_closed', 'this upstream was closed');
    if (this.#openCount >= MAX_OPEN_COUNT) {
      const [oldest] = this.#idle;
      if (oldest === undefined)
        throw new GatewayError('bridge_busy', `${MAX_OPEN_COUNT} calls are under way at this upstream already`);
      this.#dismiss(oldest);
    }
    this.#openCount++;
  }

  #dismiss(idle: Idle): void {
    this.#take(idle);
    this.#end(idle.leg, idle.caller);
  }

  #end(leg: Leg, caller: Caller): void {
    this.#openCount--;
    const ended = leg.end(caller).finally(() => this.#endings.delete(ended));
    this.#endings.add(ended);
  }

  async #close(): Promise<void> {
    this.#closed = true;
    for (const idle of this.#idle) this.#dismiss(idle);
    await Promise.all(this.#endings);
  }

  async #initialize({ grant, passed, capabilities }: Caller, signal: CancelSignal): Promise<Leg> {
    const send = (request: UpstreamRequest) =>
      this.#upstream.send(grant, { ...request, headers: { ...passed, ...request.headers } });
    const session = await withDeadline(this.#clock, OPEN_TIMEOUT_MS, signal, (ends) =>
      initialize(send, ends, capabilities),
    );
    if ('status' in session)
      throw (
        refusalOf({ status: session.status, headers: {} }) ??
        new GatewayError('upstream_protocol', `the upstream answered initialize with status ${session.status}`)
      );
    let lastId = 0;
    return new Leg(this.#upstream, { headers: session.headers, nextId: () => ++lastId }, this.#clock);
  }
}

/** What callers have in common that may use a session one after the other. */
function keyOf({ grant, capabilities, passed }: Caller, { config }: Upstream): string {
  return JSON.stringify([grant.subject, capabilities, config.passthroughHeaders.map((name) => passed[name])]);
}
