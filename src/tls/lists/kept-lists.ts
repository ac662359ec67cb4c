import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64Url, utf8 } from '../../base/bytes.ts';
import type { RecordStore } from '../../store/records.ts';
import { readList, type FetchedList } from './fetched-list.ts';

/** A list, and when some instance of the fleet fetched it. */
export interface KeptList {
  readonly list: FetchedList;
  readonly fetchedAtMs: number;
}

interface StoredList {
  readonly url: string;
  readonly pem: string;
  /** ISO 8601. */
  readonly fetchedAt: string;
}

/**
 * The last good list of each URL in the store: for a start while its server is down, and for the other instances. A
 * store that is gone, or a record that is not to be believed, has none.
 */
export class KeptLists {
  readonly #records: Pick<RecordStore, 'get' | 'write'>;

  constructor(records: Pick<RecordStore, 'get' | 'write'>) {
    this.#records = records;
  }

  /** Never rejects. */
  async get(url: string): Promise<KeptList | undefined> {
    try {
      const stored = await this.#records.get<StoredList>('crl', idOf(url));
      if (stored === undefined) return undefined;
      return { list: await readList(stored.body.pem), fetchedAtMs: Date.parse(stored.body.fetchedAt) };
    } catch {
      return undefined;
    }
  }

  /** Whether it could be written; never rejects. */
  async put(url: string, { list: { pem }, fetchedAtMs }: KeptList): Promise<boolean> {
    const body: StoredList = { url, pem, fetchedAt: new Date(fetchedAtMs).toISOString() };
    return this.#records.write([{ kind: 'crl', id: idOf(url), body }]).catch(() => false);
  }
}

const idOf = (url: string): string => toBase64Url(sha256(utf8(url)));
