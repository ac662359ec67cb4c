import { toGatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import type { RecordMac } from '../store/sealer.ts';
import type { AnchorRecord } from './anchor-records.ts';
import { ANCHOR_LINES, anchoredBytes, NO_LINE } from './audit-line.ts';
import type { ChainHead, LineName } from './audit-line.ts';
import { anchorIn, leftIn, parseLine } from './parsed-line.ts';
import type { ParsedLine } from './parsed-line.ts';

export interface TrailVerifierOptions {
  /** SHA-256, lower-case hex. */
  readonly hash: (bytes: Uint8Array) => string;
  /** Whether an anchor was made under a vault key; absent where there are no keys to tell. */
  readonly isGenuine?: ((data: Uint8Array<ArrayBuffer>, mac: RecordMac) => Promise<boolean>) | undefined;
}

/** A place in the files, lines counted from 1, and what is to be said of it. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** What a trail turned out to be. */
export interface TrailReport {
  /** The first thing that is wrong; undefined where the trail is whole. */
  readonly broken: Finding | undefined;
  /** What is worth knowing of a trail that is whole. */
  readonly notes: readonly Finding[];
  readonly lines: number;
  readonly chains: number;
  readonly anchors: number;
}

/** What may be the beginning of a line that was never finished. */
interface Torn {
  readonly at: Omit<Finding, 'what'>;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether a newline stands behind it. */
  readonly isClosed: boolean;
}

const TORN = 'the line is torn: the process was ended while it wrote';

/** Reads the lines of a trail in their order, one file after the other, and stops at the first that is wrong. */
export class TrailVerifier {
  readonly #options: TrailVerifierOptions;
  readonly #notes: Finding[] = [];
  /** Hashes of anchors, by chain and number. */
  readonly #seen = new Map<string, string>();
  readonly #chains = new Set<string>();
  /** The last line of each chain so far. */
  readonly #ends = new Map<string, ChainHead>();
  #broken: Finding | undefined;
  #file = '';
  #line = 0;
  #lines = 0;
  #head: ChainHead | undefined;
  #chain: string | undefined;
  #anchored = 0;
  #anchors = 0;
  #isEnded = false;
  #torn: Torn | undefined;
  #last = { file: '', line: 0 };

  constructor(options: TrailVerifierOptions) {
    this.#options = options;
  }

  beginFile(name: string): void {
    this.#file = name;
    this.#line = 0;
  }

  /** One line, newline excluded; false once the trail is found broken. */
  async take(bytes: Uint8Array): Promise<boolean> {
    if (this.#broken) return false;
    this.#line++;
    this.#lines++;
    const line = parseLine(bytes);
    this.#broken =
      this.#tornBefore(line) ?? (line === undefined ? this.#suspend(bytes, true) : await this.#follow(line, bytes));
    if (line !== undefined) this.#last = this.#here;
    return this.#broken === undefined;
  }

  /** What stands behind the last newline of a file. */
  remainder(bytes: Uint8Array): void {
    if (this.#broken || bytes.length === 0) return;
    this.#line++;
    this.#suspend(bytes, false);
  }

  /**
   * The outcome, once all was taken.
   *
   * @param known the anchors the store knows; read before the files, which may grow meanwhile
   * @param sinks names of the files that were taken
   */
  finish(known: readonly AnchorRecord[] = [], sinks: ReadonlySet<string> = new Set()): TrailReport {
    this.#broken ??= this.#atEnd(known, sinks);
    const { size: chains } = this.#chains;
    return { broken: this.#broken, notes: this.#notes, lines: this.#lines, chains, anchors: this.#anchors };
  }

  get #here(): Omit<Finding, 'what'> {
    return { file: this.#file, line: this.#line };
  }

  #found(what: string): Finding {
    return { ...this.#here, what };
  }

  /** What cannot be read is bad, unless the next line tells of it. */
  #suspend(bytes: Uint8Array, isClosed: boolean): undefined {
    this.#torn = { at: this.#here, bytes: bytes.length, sha256: this.#options.hash(bytes), isClosed };
  }

  #tornBefore(line: ParsedLine | undefined): Finding | undefined {
    const torn = this.#torn;
    if (torn === undefined) return undefined;
    this.#torn = undefined;
    const told = line?.event === 'audit.begun' ? asFields(line.fields['torn']) : undefined;
    if (told?.['sha256'] !== torn.sha256) return { ...torn.at, what: 'it is no line of a trail' };
    this.#notes.push({ ...torn.at, what: `${TORN} (${torn.bytes} bytes); the next one says so` });
    return undefined;
  }

  async #follow(line: ParsedLine, bytes: Uint8Array): Promise<Finding | undefined> {
    const before = this.#head ?? this.#adopt(line);
    const wrong = line.event === 'audit.begun' ? this.#begins(line, before) : this.#goesOn(line, before);
    if (wrong) return wrong;
    const head = { seq: line.seq, hash: this.#options.hash(bytes) };
    this.#head = head;
    if (this.#chain !== undefined) this.#ends.set(this.#chain, head);
    if (line.event === 'audit.anchor') return this.#holds(line, { seq: line.seq - 1, hash: line.prev }, head);
    if (line.event === 'audit.lost')
      this.#notes.push(this.#found(`${String(line.fields['lost'])} records found no room`));
    return this.#unanchored(line);
  }

  /** The first line of all: what it follows is believed. */
  #adopt({ event, seq, prev }: ParsedLine): ChainHead {
    if (prev !== NO_LINE) this.#notes.push(this.#found('it follows a line that is in none of these files'));
    if (event !== 'audit.begun') this.#anchored = seq - 1;
    return { seq: seq - 1, hash: prev };
  }

  #begins({ seq, prev, fields }: ParsedLine, before: ChainHead): Finding | undefined {
    const { chain } = fields;
    if (seq !== 1 || typeof chain !== 'string') return this.#found('it is no beginning of a chain');
    if (prev !== before.hash) {
      if (prev !== NO_LINE || this.#line !== 1)
        return this.#found(
          'a chain begins that does not follow the line before: lines are missing, or files were joined',
        );
      this.#notes.push(this.#found('a chain begins in an empty file: nothing shows that it follows the file before'));
    }
    const left = leftIn(fields);
    const isMissed = left !== undefined && !this.#hasSeen(left);
    if (isMissed && this.#anchors > 0)
      return this.#found(`line ${left.seq} of chain ${left.chain} had been written before it, and is missing`);
    this.#chain = chain;
    this.#chains.add(chain);
    this.#anchored = 0;
    this.#isEnded = false;
    return undefined;
  }

  #hasSeen({ chain, seq, hash }: LineName): boolean {
    const end = this.#ends.get(chain);
    return this.#seen.get(`${chain} ${seq}`) === hash || (end?.seq === seq && end.hash === hash);
  }

  #goesOn({ seq, prev }: ParsedLine, before: ChainHead): Finding | undefined {
    if (this.#isEnded) return this.#found('it stands behind the end of its chain');
    const expected = before.seq + 1;
    if (seq > expected)
      return this.#found(`expected number ${expected}, met ${seq}: lines before it were removed or moved`);
    if (seq < expected) return this.#found(`expected number ${expected}, met ${seq}: it was moved or repeated`);
    if (prev === before.hash) return undefined;
    return { ...this.#last, what: 'it was changed: the line behind it does not follow from it' };
  }

  async #holds({ fields }: ParsedLine, before: ChainHead, head: ChainHead): Promise<Finding | undefined> {
    const anchor = anchorIn(fields);
    if (anchor === undefined || anchor.chain !== (this.#chain ?? anchor.chain))
      return this.#found('it is an anchor of another chain');
    const { chain, end, mac } = anchor;
    const doubt = await this.#doubt(anchoredBytes(chain, before, end), mac);
    if (doubt !== undefined) return this.#found(doubt);
    this.#chain = chain;
    this.#chains.add(chain);
    this.#anchors++;
    this.#anchored = head.seq;
    this.#isEnded = end;
    this.#seen.set(`${chain} ${head.seq}`, head.hash);
    return undefined;
  }

  async #doubt(data: Uint8Array<ArrayBuffer>, mac: RecordMac): Promise<string | undefined> {
    try {
      if (!this.#options.isGenuine || (await this.#options.isGenuine(data, mac))) return undefined;
      return 'the anchor does not hold: nobody with the vault key wrote the lines before it as they are';
    } catch (error) {
      return `the anchor cannot be told to hold: ${toGatewayError(error).message}`;
    }
  }

  /** Whoever writes a trail anew without the vault key has no anchors to put in. */
  #unanchored({ seq }: ParsedLine): Finding | undefined {
    const isDue = seq - this.#anchored > 2 * ANCHOR_LINES || (seq === 2 && this.#anchored === 0);
    return isDue ? this.#found(`there is no anchor since line ${this.#anchored} of the chain`) : undefined;
  }

  #atEnd(known: readonly AnchorRecord[], sinks: ReadonlySet<string>): Finding | undefined {
    const torn = this.#torn;
    if (torn?.isClosed) return { ...torn.at, what: 'it is no line of a trail' };
    if (torn) this.#notes.push({ ...torn.at, what: `${TORN}, or it writes at this moment (${torn.bytes} bytes)` });
    for (const { sink, at, ...line } of known) {
      const { chain, seq } = line;
      if (!this.#chains.has(chain) && !sinks.has(sink)) continue;
      if (this.#hasSeen(line)) continue;
      const what = `the store knows line ${seq} of chain ${chain}, written ${at}: what follows here was cut off or changed, or is in a file that was not given`;
      return { ...this.#last, what };
    }
    if (this.#head && !this.#isEnded)
      this.#notes.push({ ...this.#last, what: 'the chain has no end: its gateway runs, or was ended by force' });
    return undefined;
  }
}
