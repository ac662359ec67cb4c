import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import type { ServerRecord } from './server-record.ts';

/** A virtual server as it is held; replaced, never changed. */
export type SavedServer = ReadableServer | UnreadableServer;

/** A virtual server whose record could be read. */
export interface ReadableServer {
  readonly id: string;
  readonly record: ServerRecord;
  /** The stored version, ETag material. */
  readonly version: string;
}

/** A virtual server whose record cannot be believed: it serves nobody. */
export interface UnreadableServer {
  readonly id: string;
  readonly record: undefined;
  readonly refusal: GatewayError;
}

/**
 * A virtual server as it is stored now; the one held, when nothing about it changed. One that cannot be believed is
 * reported once.
 *
 * @throws GatewayError store_unavailable
 */
export async function loadServer(
  id: string,
  held: SavedServer | undefined,
  { records, events }: { readonly records: RecordStore; readonly events: EventSink },
): Promise<SavedServer | undefined> {
  try {
    const stored = await records.get<ServerRecord>('server', id);
    if (stored === undefined) return undefined;
    const isHeld = held?.record !== undefined && held.version === stored.version;
    return isHeld ? held : { id, record: stored.body, version: stored.version };
  } catch (thrown) {
    const refusal = toGatewayError(thrown);
    if (refusal.code === 'store_unavailable') throw refusal;
    const { code, message } = refusal;
    if (held?.record === undefined && held?.refusal.code === code && held.refusal.message === message) return held;
    events('record.refused', { record: keyOf('server', id), code, message });
    return { id, record: undefined, refusal };
  }
}
