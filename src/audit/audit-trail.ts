import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { AuditSink } from './audit-sink.ts';
import { AUDITED, isAudited } from './audited.ts';
import type { ChainWriter } from './chain-writer.ts';
import { FloodGuard } from './flood-guard.ts';
import { WaitingLines } from './waiting-lines.ts';

export interface AuditTrailOptions {
  readonly sink: AuditSink;
  /** Writes to the sink. */
  readonly writer: ChainWriter;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Whether nothing may be done that cannot be recorded. */
  readonly failClosed: boolean;
}

/** That records are not kept at the moment. */
export interface AuditCondition {
  readonly code: string;
  /** ISO 8601. */
  readonly since: string;
}

/** How long a line may wait for others to be written with. */
const FLUSH_MS = 250;
const BATCH_COUNT = 1000;
/** How long lines that are alone wait for an anchor, at most. */
const ANCHOR_MS = 60_000;
const RETRY_MS = { first: 1000, longest: 30_000 } as const;

/**
 * Records events as lines of a chain. What an event costs its caller is a place in a list; lines are made, hashed and
 * kept in batches beside the calls.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #guard: FloodGuard;
  readonly #waiting = new WaitingLines();
  #failedAtMs: number | undefined;
  #failureCode = '';
  #retryMs = 0;
  #work: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  #cancelAnchor: (() => void) | undefined;
  #isClosed = false;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#guard = new FloodGuard(options.clock, (of, omitted) => this.#add('audit.omitted', { of, omitted }));
  }

  /**
   * Begins behind what is there. A collector that does not answer is asked again later.
   *
   * @throws GatewayError audit_unavailable where a file cannot be written
   */
  async begin(): Promise<void> {
    const { sink, writer } = this.#options;
    if (sink.name === undefined) void this.#next(() => writer.resume());
    else await writer.resume();
  }

  /** To be attached to the hub; never throws. */
  readonly events: EventSink = (name, fields) => {
    const recorded = AUDITED[name];
    if (recorded === undefined || !isAudited(name, fields)) return;
    if (recorded === 'each' || this.#guard.admits(name)) this.#add(name, fields);
  };

  /** Undefined while records are kept. */
  get condition(): AuditCondition | undefined {
    if (this.#failedAtMs === undefined) return undefined;
    return { code: this.#failureCode, since: new Date(this.#failedAtMs).toISOString() };
  }

  /** Lines that were kept, and records that are gone. */
  get counts(): { readonly lines: number; readonly lost: number } {
    return { lines: this.#options.writer.lines, lost: this.#waiting.lost };
  }

  /** @throws GatewayError audit_unavailable where nothing may be done that cannot be recorded */
  refuseUnrecorded(): void {
    if (this.#failedAtMs === undefined || !this.#options.failClosed) return;
    throw new GatewayError('audit_unavailable', 'what cannot be recorded is not done, and records cannot be kept now', {
      hint: 'the log of the gateway says why; POSTERN_AUDIT_FAILURE=open serves on without records',
    });
  }

  /** Goes on in another file where the path leads to another one by now. Never rejects. */
  reopen(): Promise<void> {
    return this.#next(async () => {
      const { sink, writer } = this.#options;
      if (this.#failedAtMs !== undefined || !(await sink.hasMoved())) return;
      await this.#writeWaiting();
      await writer.anchor();
      await writer.resume();
    });
  }

  /** Writes what waits and ends the chain. Idempotent; never rejects. */
  close(): Promise<void> {
    if (this.#isClosed) return this.#work;
    this.#guard.flush();
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelAnchor?.();
    const { sink, writer } = this.#options;
    return this.#next(async () => {
      try {
        await this.#flush();
        await writer.anchor({ end: true });
      } finally {
        await sink.close();
      }
    });
  }

  #add(event: string, fields: object): void {
    if (this.#isClosed) return;
    this.#waiting.add({ event, fields, atMs: this.#options.clock.nowMs() });
    if (this.#failedAtMs === undefined) this.#schedule(FLUSH_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.#next(() => this.#flush());
    });
  }

  /** One thing after the other; what fails is tried again. */
  #next(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#failed(toGatewayError(error)));
    return this.#work;
  }

  async #flush(): Promise<void> {
    if (this.#failedAtMs !== undefined) await this.#options.writer.resume();
    await this.#writeWaiting();
  }

  async #writeWaiting(): Promise<void> {
    const { clock, writer } = this.#options;
    for (;;) {
      const batch = this.#waiting.peek(BATCH_COUNT, clock.nowMs());
      if (batch.length === 0) break;
      await writer.write(batch);
      this.#waiting.kept(batch.length);
      if (writer.isAnchorDue) await writer.anchor();
    }
    if (writer.isAnchorDue) await writer.anchor();
    else if (writer.hasUnanchored) this.#scheduleAnchor();
    this.#succeeded();
  }

  /** Lines that nothing follows are vouched for as well. */
  #scheduleAnchor(): void {
    if (this.#isClosed) return;
    this.#cancelAnchor ??= this.#options.clock.after(ANCHOR_MS, () => {
      this.#cancelAnchor = undefined;
      void this.#next(() => this.#flush());
    });
  }

  #succeeded(): void {
    const { clock, events } = this.#options;
    if (this.#failedAtMs === undefined) return;
    const failedMs = clock.nowMs() - this.#failedAtMs;
    this.#failedAtMs = undefined;
    this.#retryMs = 0;
    events('audit.recovered', { failedMs });
  }

  #failed({ code, message }: GatewayError): void {
    const { clock, events } = this.#options;
    const isNew = this.#failedAtMs === undefined;
    this.#failedAtMs ??= clock.nowMs();
    this.#failureCode = code;
    if (isNew) events('audit.failed', { code, message });
    else if (this.#isClosed) events('audit.failed', { code, message: `${message}; ${this.#waiting.size} are gone` });
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, RETRY_MS.first), RETRY_MS.longest);
    this.#schedule(this.#retryMs);
  }
}
