import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { PRODUCT } from '../base/product.ts';
import type { FileTail } from '../platform.ts';
import type { RecordSealer } from '../store/sealer.ts';
import type { AnchorRecords } from './anchor-records.ts';
import { ANCHOR_LINES, anchoredBytes, lineAfter, NO_LINE } from './audit-line.ts';
import type { Anchor, LineName, Beginning, ChainHead, TextHash } from './audit-line.ts';
import type { AuditSink } from './audit-sink.ts';
import { LineBodies } from './line-bodies.ts';
import type { WaitingLine } from './waiting-lines.ts';

export interface ChainWriterOptions {
  readonly sink: AuditSink;
  readonly anchors: AnchorRecords;
  readonly vault: Pick<RecordSealer, 'mac'>;
  readonly clock: Clock;
  readonly hashOf: TextHash;
  /** Who writes, for people. */
  readonly instance: string;
}

/** The same between two anchors, and between two looks of the store at them. */
const ANCHOR_MS = 60_000;

/** Writes lines behind each other, with anchors among them. One call at a time. */
export class ChainWriter {
  readonly #options: ChainWriterOptions;
  readonly #bodies = new LineBodies();
  #chain = '';
  #head: ChainHead = { seq: 0, hash: NO_LINE };
  #anchorDueMs = 0;
  #storeDueMs = 0;
  /** The last anchor, of whichever chain. */
  #last: LineName | undefined;
  #lines = 0;

  constructor(options: ChainWriterOptions) {
    this.#options = options;
  }

  /** Lines that were kept. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Goes on where the sink is: in the same chain where its last line is ours or there is none, as in a file that is new;
   * else in a chain that begins there.
   *
   * @throws GatewayError audit_unavailable
   */
  async resume(): Promise<void> {
    const { anchors, hashOf, sink } = this.#options;
    const tail = await sink.open();
    const isNew = this.#chain === '';
    if (isNew && sink.name !== undefined) this.#last = await anchors.last(sink.name).catch(() => undefined);
    const { lastLine, torn } = tail;
    if (isNew || torn || (lastLine !== undefined && hashOf(lastLine) !== this.#head.hash)) return this.#begin(tail);
    // what is in a new file can be told to be ours from its first line on
    if (lastLine === undefined) await this.anchor();
  }

  /** @throws GatewayError audit_unavailable; then nothing was written, as far as that can be done */
  async write(batch: readonly WaitingLine[]): Promise<void> {
    const { hashOf, sink } = this.#options;
    let head = this.#head;
    const lines: string[] = [];
    for (const waiting of batch) {
      const next = lineAfter(head, this.#bodies.of(waiting), hashOf);
      lines.push(next.line);
      head = next.head;
    }
    await sink.append(`${lines.join('\n')}\n`);
    this.#head = head;
    this.#lines += lines.length;
  }

  /** Whether nobody vouches for the last lines yet. */
  get hasUnanchored(): boolean {
    return this.#head.seq > (this.#last?.seq ?? 0);
  }

  /** Whether that has been so for long. */
  get isAnchorDue(): boolean {
    if (this.#head.seq - (this.#last?.seq ?? 0) >= ANCHOR_LINES) return true;
    return this.hasUnanchored && this.#anchorDueMs <= this.#options.clock.monotonicMs();
  }

  /** Vouches for everything up to here. @throws GatewayError audit_unavailable */
  async anchor({ end = false } = {}): Promise<void> {
    await this.#anchored(this.#chain, '', this.#head, end);
  }

  async #begin({ lastLine, torn }: FileTail): Promise<void> {
    const { hashOf, instance } = this.#options;
    const hash = lastLine === undefined ? NO_LINE : hashOf(lastLine);
    const before = this.#chain === '' ? this.#last : { chain: this.#chain, ...this.#head };
    const left = before && { chain: before.chain, seq: before.seq, hash: before.hash };
    const beginning: Beginning = { chain: newId(), instance, version: PRODUCT.version, left, torn };
    const { line, head } = lineAfter({ seq: 0, hash }, this.#bodyOf('audit.begun', beginning), hashOf);
    // with its anchor at once: a chain nobody vouches for is none
    await this.#anchored(beginning.chain, `${torn ? '\n' : ''}${line}\n`, head, false);
    this.#lines++;
  }

  /** Writes lines and an anchor for `head`, which is that of the last of them. */
  async #anchored(chain: string, lines: string, head: ChainHead, end: boolean): Promise<void> {
    const { clock, hashOf, sink, vault } = this.#options;
    const anchor: Anchor = { chain, end, mac: await vault.mac(anchoredBytes(chain, head, end)) };
    const { line, head: after } = lineAfter(head, this.#bodyOf('audit.anchor', anchor), hashOf);
    await sink.append(`${lines}${line}\n`);
    const isNew = chain !== this.#chain;
    this.#chain = chain;
    this.#head = after;
    this.#last = { chain, ...after };
    this.#lines++;
    this.#anchorDueMs = clock.monotonicMs() + ANCHOR_MS;
    if (end || isNew || this.#storeDueMs <= clock.monotonicMs()) await this.#remember(this.#last);
  }

  #bodyOf(event: string, fields: object): string {
    return this.#bodies.of({ event, fields, atMs: this.#options.clock.nowMs() });
  }

  /** In the store, where the file is not. That the store is gone is told elsewhere. */
  async #remember(anchor: LineName): Promise<void> {
    const { anchors, clock, sink } = this.#options;
    this.#storeDueMs = clock.monotonicMs() + ANCHOR_MS;
    if (sink.name === undefined) return;
    const at = new Date(clock.nowMs()).toISOString();
    await anchors.put({ ...anchor, sink: sink.name, at }).catch(() => undefined);
  }
}
