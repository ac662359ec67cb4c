import { fromUtf8 } from '../base/bytes.ts';
import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { Anchor, LineName } from './audit-line.ts';

/** A line as it reads. */
export interface ParsedLine {
  readonly seq: number;
  readonly event: string;
  readonly prev: string;
  readonly fields: Fields;
}

const HASH = /^[\da-f]{64}$/;

/** The line in these bytes; undefined where they are none. */
export function parseLine(bytes: Uint8Array): ParsedLine | undefined {
  const fields = asFields(jsonIn(fromUtf8(bytes)));
  const { seq, event, prev } = fields ?? {};
  if (fields === undefined || typeof event !== 'string' || typeof prev !== 'string' || !HASH.test(prev))
    return undefined;
  return Number.isSafeInteger(seq) ? { seq: seq as number, event, prev, fields } : undefined;
}

/** What `audit.anchor` says; undefined where it says nothing of use. */
export function anchorIn({ chain, end, mac }: Fields): Anchor | undefined {
  const { kid, tag } = asFields(mac) ?? {};
  if (typeof chain !== 'string' || typeof end !== 'boolean' || typeof kid !== 'string' || typeof tag !== 'string')
    return undefined;
  return { chain, end, mac: { kid, tag } };
}

/** The line `audit.begun` says was the last before it; undefined where there was none. */
export function leftIn({ left }: Fields): LineName | undefined {
  const { chain, seq, hash } = asFields(left) ?? {};
  const isLine = typeof chain === 'string' && typeof seq === 'number' && typeof hash === 'string';
  return isLine ? { chain, seq, hash } : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
