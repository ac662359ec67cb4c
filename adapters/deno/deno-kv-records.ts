import { newId } from '../../src/index.ts';
import { whileLocked } from './deno-kv-database.ts';
import type { KvAtomic, KvDatabase, KvEntry, KvKey } from './deno-kv-database.ts';

/** Up to here a text stands in its record; longer ones are put in pieces beside it, as a value may have 64 KiB. */
const INLINE_BYTES = 16 * 1024;
const PIECE_BYTES = 60_000;
/** What a commit may write at once, below Deno's 800 KiB. */
const COMMIT_BYTES = 600_000;
const GET_MANY = 10;

const RECORD = ['postern', 'record'] as const;
const PIECE = ['postern', 'piece'] as const;

/** Where the text of a record is that is too long for one value. */
interface Pieces {
  readonly id: string;
  readonly pieces: number;
}

export const recordKey = (key: string): KvKey => [...RECORD, key];

/** The records of keys, in their order. */
export async function readRecords(kv: KvDatabase, keys: readonly string[]): Promise<readonly KvEntry[]> {
  return inTens(kv, keys.map(recordKey));
}

/** Keys that begin with `base`. */
export async function listKeys(kv: KvDatabase, base: string): Promise<string[]> {
  return whileLocked(() => listOnce(kv, base));
}

async function listOnce(kv: KvDatabase, base: string): Promise<string[]> {
  const keys: string[] = [];
  const selector = { start: recordKey(base), end: recordKey(`${base}\u{10ffff}`) };
  for await (const { key } of kv.list(selector)) keys.push(String(key.at(-1)));
  return keys;
}

/** The text of a record; null where there is none, undefined where it was replaced meanwhile. */
export async function textOf(kv: KvDatabase, { value }: KvEntry): Promise<string | null | undefined> {
  if (value === null) return null;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  const entries = await inTens(kv, pieceKeys(value as Pieces));
  const parts = entries.flatMap(({ value: part }) => (part instanceof Uint8Array ? [part] : []));
  if (parts.length < entries.length) return undefined;
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** Texts on their way into records. */
export class Writing {
  readonly #kv: KvDatabase;
  readonly #values: (Uint8Array | Pieces)[] = [];
  #inline = 0;

  constructor(kv: KvDatabase) {
    this.#kv = kv;
  }

  /** What a record is to hold. Pieces are written at once: nobody finds them before the record names them. */
  async prepare(text: string): Promise<unknown> {
    const bytes = new TextEncoder().encode(text);
    const value = this.#inline + bytes.length <= COMMIT_BYTES && bytes.length <= INLINE_BYTES ? bytes : undefined;
    if (value) this.#inline += bytes.length;
    const made = value ?? (await this.#writePieces(bytes));
    this.#values.push(made);
    return made;
  }

  /** Removes the pieces of a commit that was not made. */
  async giveUp(): Promise<void> {
    await removePieces(this.#kv, this.#values);
  }

  async #writePieces(bytes: Uint8Array): Promise<Pieces> {
    const made = { id: newId(), pieces: Math.ceil(bytes.length / PIECE_BYTES) };
    for (const [index, key] of pieceKeys(made).entries()) {
      const writing = this.#kv.atomic().set(key, bytes.slice(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
      await whileLocked(() => writing.commit());
    }
    return made;
  }
}

/** Removes what values of replaced records point to; what fails leaves pieces that nobody reads. */
export async function removePieces(kv: KvDatabase, values: readonly unknown[]): Promise<void> {
  const keys = values.flatMap((value) =>
    value === null || value instanceof Uint8Array ? [] : pieceKeys(value as Pieces),
  );
  if (keys.length === 0) return;
  const removing = keys.reduce((atomic: KvAtomic, key) => atomic.delete(key), kv.atomic());
  await whileLocked(() => removing.commit()).catch(() => undefined);
}

function pieceKeys({ id, pieces }: Pieces): readonly KvKey[] {
  return Array.from({ length: pieces }, (_, index) => [...PIECE, id, index]);
}

async function inTens(kv: KvDatabase, keys: readonly KvKey[]): Promise<readonly KvEntry[]> {
  const entries: KvEntry[] = [];
  for (let from = 0; from < keys.length; from += GET_MANY)
    entries.push(...(await whileLocked(() => kv.getMany(keys.slice(from, from + GET_MANY)))));
  return entries;
}
