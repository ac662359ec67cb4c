import type { Grant } from '../policy/grant.ts';
import type { RecordHistory } from './gateway-record.ts';

/** The history of a record written now (ISO 8601) on the strength of `grant`; undefined before a registration. */
export function historyAfter(before: RecordHistory | undefined, { subject }: Grant, now: string): RecordHistory {
  return {
    createdAt: before?.createdAt ?? now,
    createdBy: before?.createdBy ?? subject,
    updatedAt: now,
    updatedBy: subject,
    revision: (before?.revision ?? 0) + 1,
  };
}
