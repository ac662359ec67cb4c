import { toBase64Url, utf8 } from '../base/bytes.ts';
import type { RecordStore } from '../store/records.ts';
import type { LineName } from './audit-line.ts';

/** The last anchor that was written to a file, kept where the file is not: a tail that is cut off is missed then. */
export interface AnchorRecord extends LineName {
  /** The name of the sink. */
  readonly sink: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Reads and writes which anchor a sink has come to, one record per sink. */
export class AnchorRecords {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** @throws GatewayError store_unavailable, record_tampered and the like */
  async last(sink: string): Promise<AnchorRecord | undefined> {
    return (await this.#records.get<AnchorRecord>('audit', await idOf(sink)))?.body;
  }

  /** @throws GatewayError store_unavailable */
  async put(anchor: AnchorRecord): Promise<void> {
    await this.#records.write([{ kind: 'audit', id: await idOf(anchor.sink), body: anchor }]);
  }

  /** Of every sink. @throws GatewayError store_unavailable */
  async all(): Promise<readonly AnchorRecord[]> {
    return (await this.#records.list<AnchorRecord>('audit')).map(({ body }) => body);
  }
}

const idOf = async (sink: string): Promise<string> =>
  toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(sink))));
