import {
  fetchOver,
  GatewayError,
  OcspClient,
  OcspGuard,
  parseCertificates,
  SETTINGS,
  StapleKeeper,
} from '../../../src/index.ts';
import type { Dialer, EventSink, SettingValues } from '../../../src/index.ts';
import { systemClock } from '../clock.ts';
import type { Runtime } from '../runtime.ts';
import type { ListenerIdentity } from './identity.ts';
import type { StapleOf } from './servers.ts';

/** What the listener does with OCSP; what is not configured is absent. */
export interface ListenerOcsp {
  readonly ocsp?: OcspGuard;
  readonly stapleOf?: StapleOf;
  /** Fetches the status of an identity before it is presented; never rejects, and takes seconds at most. */
  readonly prepare?: (identity: ListenerIdentity) => Promise<void>;
  readonly close: () => void;
}

/** Asks about callers, and about ourselves, over the dialer upstreams are reached with. */
export function openListenerOcsp(settings: SettingValues, dialer: Dialer, events: EventSink): ListenerOcsp {
  const { ocsp: uses, revocationFailure: failure } = settings;
  const asking = { fetchBytes: fetchOver(dialer, systemClock), clock: systemClock, events };
  const staples = uses.includes('staple') ? new StapleKeeper(asking) : undefined;
  return {
    ...(uses.includes('callers') && {
      ocsp: new OcspGuard({ ...asking, client: new OcspClient(asking), failure, side: 'listener' }),
    }),
    ...(staples && {
      stapleOf: (certificate) => staples.of(certificate),
      prepare: async ({ chainPem }) => staples.keep(await parseCertificates(chainPem, 'certificate_unreadable')),
    }),
    close: () => staples?.close(),
  };
}

/** @throws GatewayError capability_unsupported where servers ask nobody for a status to staple */
export function requireStapling({ ocsp }: SettingValues, { name, listener }: Runtime): void {
  if (!ocsp.includes('staple') || listener.staple) return;
  throw new GatewayError('capability_unsupported', `${name} cannot honour staple in ${SETTINGS.ocsp.env} (staple)`, {
    hint: 'leave it out, or run the gateway on Node',
    details: { capabilities: ['staple'] },
  });
}
