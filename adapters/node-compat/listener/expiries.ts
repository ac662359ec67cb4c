import { notAfterSeconds } from '../../../src/index.ts';
import type { ListenerIdentity } from './identity.ts';

/** Series of postern_certificate_not_after_seconds: of several in one role the first to expire. */
export function* expiriesOf(identity: ListenerIdentity | undefined): Iterable<readonly [readonly string[], number]> {
  if (identity === undefined) return;
  const series = (role: string, seconds: number) => [[role, '', 'current'], seconds] as const;
  yield series('listener', notAfterSeconds(identity.facts));
  const { callers } = identity;
  if (callers === undefined) return;
  yield series('client_ca', Math.min(...callers.anchors.map(({ facts }) => notAfterSeconds(facts))));
  if (callers.nextUpdate !== undefined) yield series('client_crl', Date.parse(callers.nextUpdate) / 1000);
}
