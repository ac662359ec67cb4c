import type { RotationParticipant } from '../rotation/participant.ts';
import type { AuditTrail } from './audit-trail.ts';

/** The file of a trail, as a part that rotates: where logrotate moved it, the trail goes on in a new one. */
export function rotatingAudit(trail: AuditTrail): RotationParticipant {
  return {
    name: 'audit',
    async apply({ scope }) {
      if (scope === 'all') await trail.reopen();
      return false;
    },
    problems: () => [],
    files: () => [],
  };
}
