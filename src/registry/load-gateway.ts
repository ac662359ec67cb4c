import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { grantUpkeep } from '../policy/grant.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore, Versioned } from '../store/records.ts';
import type { UpstreamFacts } from '../upstream/facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { refuseCollisions } from './collisions.ts';
import { isFile } from './gateway-record.ts';
import type { GatewayRecord } from './gateway-record.ts';
import type { LiveGateways } from './live-gateways.ts';
import { openGateway } from './open-gateway.ts';
import type { OpenedGateway, OpenGatewayOptions } from './open-gateway.ts';
import { isSameConfig } from './same-config.ts';
import type { RegisteredGateway } from './snapshot.ts';

export interface LoadOptions extends OpenGatewayOptions {
  readonly records: RecordStore;
  readonly events: EventSink;
}

/**
 * A gateway as it is stored now; the one held, when nothing about it changed. What cannot be opened is refused: it
 * keeps its last good form, unless its record or its secrets cannot be believed.
 *
 * @throws GatewayError store_unavailable, shutting_down
 */
export async function loadGateway(
  id: string,
  live: LiveGateways,
  options: LoadOptions,
): Promise<RegisteredGateway | undefined> {
  const held = live.get(id);
  let stored: Versioned<GatewayRecord> | undefined;
  try {
    stored = await options.records.get<GatewayRecord>('gateway', id);
  } catch (error) {
    const refusal = refusalOf(id, error, held, options.events);
    return { id, record: undefined, upstream: undefined, nextProfile: undefined, refusal };
  }
  if (stored === undefined) return undefined;
  const { body: record, version } = stored;
  if (held?.record && held.version === version && held.refusal === undefined && !namesFiles(record)) return held;
  try {
    const opened = await openGateway(record, options);
    refuseCollisions({ ...record, listing: undefined }, olderThan(record, live));
    const upstream = await upstreamFor(held, record, opened, live, options);
    return { id, record, version, upstream, nextProfile: opened.nextProfile, refusal: undefined };
  } catch (error) {
    const refusal = refusalOf(id, error, held, options.events);
    const believable = refusal.facts.stage !== 'vault' && refusal.facts.stage !== 'store';
    const upstream = believable ? held?.upstream : undefined;
    return { id, record, version, upstream, nextProfile: upstream && held?.nextProfile, refusal };
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

async function upstreamFor(
  held: RegisteredGateway | undefined,
  record: GatewayRecord,
  { config }: OpenedGateway,
  live: LiveGateways,
  { records }: LoadOptions,
): Promise<Upstream> {
  if (held?.upstream === undefined)
    return live.open(config, (await records.get<UpstreamFacts>('listing', record.id))?.body);
  if (isSameConfig(held.upstream.config, config)) return held.upstream;
  const upstream = live.open(config);
  if (record.enabled)
    await live.discardedOnFailure(upstream, async () => {
      const facts = await live.connect(grantUpkeep('reload'), upstream);
      await records.write([{ kind: 'listing', id: record.id, body: facts }]);
    });
  return upstream;
}

function namesFiles({ tls }: GatewayRecord): boolean {
  const sources = [
    tls.caCertificate,
    tls.clientCert,
    tls.clientKey,
    tls.crl,
    tls.next?.caCertificate,
    tls.next?.clientCert,
    tls.next?.clientKey,
  ];
  return sources.some((source) => source !== undefined && isFile(source));
}

/** Reported once per reason, since a refused gateway is tried again and again. */
function refusalOf(id: string, thrown: unknown, held: RegisteredGateway | undefined, events: EventSink): GatewayError {
  const error = toGatewayError(thrown);
  if (error.code === 'store_unavailable' || error.code === 'shutting_down') throw error;
  if (held?.refusal?.code !== error.code)
    events('record.refused', { record: keyOf('gateway', id), code: error.code, message: error.message });
  return error;
}
