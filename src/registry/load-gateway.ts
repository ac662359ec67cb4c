import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore, Versioned } from '../store/records.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { refuseCollisions } from './collisions.ts';
import { profilesName } from './gateway-profiles.ts';
import type { GatewayRecord } from './gateway-record.ts';
import type { LiveGateways } from './live-gateways.ts';
import { readsSources } from './named-files.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenedGateway, OpenGatewayOptions } from './open-gateway.ts';
import { lastGood, reloadedUpstream } from './reloaded-upstream.ts';
import type { RegisteredGateway } from './snapshot.ts';

export interface LoadOptions extends OpenGatewayOptions {
  readonly records: RecordStore;
  readonly events: EventSink;
}

const NOTHING = { upstream: undefined, profiles: undefined };

/** Where a record is read: as it is held while the store is gone, for the sake of the files it names. */
export type RecordSource = 'store' | 'memory';

/**
 * A gateway as it is stored now; the one held, when nothing about it changed. What cannot be opened is refused: it
 * keeps its last good form, unless its record or its secrets cannot be believed. Whom to believe is not for its server
 * to decide: where a server does not let us try what is new, its last good form believes those of now all the same.
 *
 * @throws GatewayError store_unavailable, shutting_down
 */
export async function loadGateway(
  id: string,
  live: LiveGateways,
  options: LoadOptions,
  source: RecordSource = 'store',
): Promise<RegisteredGateway | undefined> {
  const held = live.get(id);
  if (source === 'memory' && held?.record === undefined) return held;
  let stored: Pick<Versioned<GatewayRecord>, 'body' | 'version'> | undefined;
  try {
    const asHeld = source === 'memory' && held?.record && { body: held.record, version: held.version };
    stored = asHeld || (await options.records.get<GatewayRecord>('gateway', id));
  } catch (error) {
    const refusal = refusalOf(id, error, held, options.events);
    return unlessSame(held, { id, record: undefined, upstream: undefined, profiles: undefined, refusal });
  }
  if (stored === undefined) return undefined;
  const { body: record, version } = stored;
  const isAsHeld = held?.record && held.version === version && held.refusal === undefined;
  if (isAsHeld && !readsSources(record) && !hasExpired(held.upstream, options)) return held;
  let tried: OpenedGateway | undefined;
  try {
    const opened = await openGateway(record, options);
    const unusable = opened.profiles?.refusal;
    // at a start the current identity serves all the same; later the last good form does
    if (unusable && held?.upstream) throw unusable;
    refuseCollisions({ ...record, listing: undefined }, olderThan(record, live));
    tried = opened;
    const upstream = await reloadedUpstream(held, record, opened, live, options.records);
    const refusal = unusable && refusalOf(id, unusable, held, options.events);
    return unlessSame(held, { id, record, version, upstream, profiles: opened.profiles, refusal });
  } catch (error) {
    const refusal = refusalOf(id, error, held, options.events);
    const believable = refusal.facts.stage !== 'vault' && refusal.facts.stage !== 'store';
    // lists nothing can be checked against say nothing about the server
    const judging = refusal.code === 'tls_crl_unusable' ? undefined : tried;
    const { upstream, profiles } =
      believable && !hasExpired(held?.upstream, options) ? lastGood(held, judging, live) : NOTHING;
    return unlessSame(held, { id, record, version, upstream, profiles, refusal });
  }
}

/** Of two gateways with one slug, registered in two instances at the same moment, the older one stays. */
function olderThan(record: GatewayRecord, live: LiveGateways) {
  const { createdAt } = record.history;
  const older = live.snapshot.entries.filter(({ id }) => {
    const other = live.get(id)?.record?.history.createdAt ?? '';
    return other < createdAt || (other === createdAt && id < record.id);
  });
  return older.map((entry) => ({ ...entry, listing: undefined }));
}

/** A last good form whose certificate has run out is good no more. */
function hasExpired(upstream: Upstream | undefined, { clock }: LoadOptions): boolean {
  const { identity } = upstream?.config.profile ?? {};
  return identity?.chain.some(({ facts }) => Date.parse(facts.notAfter) < clock.nowMs()) ?? false;
}

/** The one held, where what was loaded is the same again. */
function unlessSame(held: RegisteredGateway | undefined, loaded: RegisteredGateway): RegisteredGateway {
  const isSame =
    held !== undefined &&
    versionOf(held) === versionOf(loaded) &&
    held.refusal?.code === loaded.refusal?.code &&
    held.refusal?.message === loaded.refusal?.message &&
    !servesOtherwise(held, loaded);
  return isSame ? held : loaded;
}

const versionOf = (gateway: RegisteredGateway): string | undefined => gateway.record && gateway.version;

/** Whether another upstream serves, or other certificates are ready to. */
export function servesOtherwise(before: RegisteredGateway | undefined, after: RegisteredGateway | undefined): boolean {
  return before?.upstream !== after?.upstream || profilesName(before?.profiles) !== profilesName(after?.profiles);
}

/** Reported once per reason, since a refused gateway is tried again and again. */
function refusalOf(id: string, thrown: unknown, held: RegisteredGateway | undefined, events: EventSink): GatewayError {
  const error = toGatewayError(thrown);
  if (error.code === 'store_unavailable' || error.code === 'shutting_down') throw error;
  if (held?.refusal?.code !== error.code)
    events('record.refused', { record: keyOf('gateway', id), code: error.code, message: error.message });
  return error;
}
