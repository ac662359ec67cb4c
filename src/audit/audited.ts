import type { EventFields, EventName } from '../base/events.ts';

/** `each` is always recorded; `bounded` can be caused by anybody, so a flood of it is counted instead. */
type Recorded = 'each' | 'bounded';

/** The events that are recorded; what is not here is for the log and the metrics only. */
export const AUDITED: { readonly [Name in EventName]?: Recorded } = {
  'gateway.started': 'each',
  'gateway.stopping': 'each',
  'caller.recognised': 'each',
  'caller.refused': 'bounded',
  'request.refused': 'bounded',
  'mcp.answered': 'each',
  'admin.changed': 'each',
  'upstream.registered': 'each',
  'upstream.changed': 'each',
  'upstream.removed': 'each',
  'server.saved': 'each',
  'server.removed': 'each',
  'record.refused': 'each',
  'listener.handshake': 'bounded',
  'listener.refused': 'bounded',
  'listener.reloaded': 'each',
  'policy.refused': 'bounded',
  'policy.changed': 'each',
  'token.created': 'each',
  'token.revoked': 'each',
  'token_keys.changed': 'each',
  'token_keys.kept': 'each',
  'issuer.failed': 'bounded',
  'caller.slowed': 'bounded',
  'revocation.failing': 'each',
  'revocation.recovered': 'each',
  'revocation.passed': 'bounded',
  'upstream.refused': 'each',
  'listener.kept': 'each',
  'listener.cut': 'each',
  'handshake.finished': 'each',
  'upstream.stands_in': 'each',
  'upstream.cut': 'each',
  'rotation.written': 'each',
  'rotation.noticed': 'each',
  'rotation.applied': 'each',
  'rotation.failed': 'each',
  'vault.rotated': 'each',
  'audit.failed': 'each',
  'audit.recovered': 'each',
};

/** Of refused requests those whose caller is known: the others were refused as callers, or asked for what is not there. */
export function isAudited<Name extends EventName>(name: Name, fields: EventFields[Name]): boolean {
  return name === 'request.refused' ? (fields as EventFields['request.refused']).caller !== undefined : name in AUDITED;
}
