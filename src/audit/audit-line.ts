/**
 * audit: who did what, in lines that show when one was changed, removed or moved.
 *
 * Owns what is recorded, the form of a line, the chain of their hashes, anchors under the vault key, and what keeps them.
 * Must not know where a file lies or how a request is answered.
 *
 * A line is one JSON object whose last member is the hash of the line before:
 * `{"seq":7,"at":"…","event":"mcp.answered",…,"prev":"<64 hex digits>"}`. A chain begins with `audit.begun`; now and then, and
 * at the end, `audit.anchor` proves to whoever has the vault key that the lines before it are those that were written.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../base/bytes.ts';
import type { FileTail } from '../platform.ts';
import type { RecordMac } from '../store/sealer.ts';

/** SHA-256 of a text in UTF-8, lower-case hex. */
export type TextHash = (text: string) => string;

/** Where the platform has no faster one. */
export const textHash: TextHash = (text) => toHex(sha256(utf8(text)));

/** What stands for the line before the first. */
export const NO_LINE = '0'.repeat(64);

/** Lines between two anchors; the verifier takes no more than twice as many without one. */
export const ANCHOR_LINES = 1000;

/** A line that is known: how many there are up to it, and its hash. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The first line of a chain. */
export interface Beginning {
  /** Names the chain. */
  readonly chain: string;
  /** Who writes it, for people: a host and a process. */
  readonly instance: string;
  readonly version: string;
  /** The last line that is known to have been written before, of another chain: the writer's own, or what the store knows. */
  readonly left?: LineName | undefined;
  /** What stood behind the last whole line: the process was ended while it wrote. */
  readonly torn?: FileTail['torn'];
}

/** Which line. */
export interface LineName {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
}

/** Proof that a chain stood where it stands. */
export interface Anchor {
  readonly chain: string;
  /** Whether the chain ends here. */
  readonly end: boolean;
  readonly mac: RecordMac;
}

/** A line, newline excluded, and what it makes of the chain. */
export function lineAfter({ seq, hash }: ChainHead, body: string, hashOf: TextHash): { line: string; head: ChainHead } {
  const line = `{"seq":${seq + 1},${body},"prev":"${hash}"}`;
  return { line, head: { seq: seq + 1, hash: hashOf(line) } };
}

/** What an anchor authenticates: the chain, the line before it, and whether it is the last. */
export function anchoredBytes(chain: string, before: ChainHead, end: boolean): Uint8Array<ArrayBuffer> {
  return utf8(`postern audit anchor v1\n${chain}\n${before.seq}\n${before.hash}\n${end}`);
}
