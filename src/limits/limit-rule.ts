/**
 * limits: how much.
 *
 * Owns rules about rates and concurrency, and what was used of them. Must not know MCP's messages, what an answer looks
 * like on the wire, or where other instances keep count.
 */
import type { Who } from '../identity/who.ts';

/** What a limit is counted by; each has a limit of its own. `failures` are credentials that were refused, by address. */
export const COUNTED_BY = ['subject', 'certificate', 'tool', 'gateway', 'address', 'failures'] as const;

/** One of these. */
export type CountedBy = (typeof COUNTED_BY)[number];

/** So many in a time, as a bucket that holds `burst` and fills at an even rate. */
export interface Rate {
  readonly count: number;
  readonly periodMs: number;
  /** What may come at once. */
  readonly burst: number;
}

/** One limit. A call has to meet all that apply to it. */
export interface LimitRule {
  /** Lower-case letters, digits, `-` and `_`; callers are told it. */
  readonly name: string;
  /** Absent means everybody. */
  readonly who?: Who;
  /** Slugs and patterns; absent means every gateway, and what concerns none. */
  readonly gateways?: readonly string[];
  /** As their gateway names them; absent means every tool, and what concerns none. */
  readonly tools?: readonly string[];
  /** One or several: their combinations are counted. */
  readonly per: readonly CountedBy[];
  readonly rate?: Rate;
  /** Calls under way and open streams, on each instance. */
  readonly concurrency?: number;
}

/** Milliseconds in which a bucket gains one. */
export const intervalMs = ({ count, periodMs }: Rate): number => periodMs / count;
