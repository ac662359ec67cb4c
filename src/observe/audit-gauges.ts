import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Metrics } from './metrics.ts';

/** Says how the trail is doing. */
export function watchAudit(metrics: Metrics, trail: Pick<AuditTrail, 'condition' | 'counts'>): void {
  metrics.gauge('postern_audit_up', () => [[[], trail.condition === undefined ? 1 : 0]]);
  metrics.gauge('postern_audit_lines_total', () => [[[], trail.counts.lines]]);
  metrics.gauge('postern_audit_lost_total', () => [[[], trail.counts.lost]]);
}
