import type { GatewayLabels, RecordHistory } from './gateway-record.ts';

/** The labels that gateways and virtual servers have in common, as they are shown. */
export const labelsView = (labels: GatewayLabels) => ({
  tags: labels.tags ?? [],
  teamId: labels.teamId ?? null,
  ownerEmail: labels.ownerEmail ?? null,
  visibility: labels.visibility ?? 'public',
});

/** Who wrote a record when, as it is shown. */
export const historyView = (history: RecordHistory) => ({
  createdAt: history.createdAt || null,
  createdBy: history.createdBy || null,
  updatedAt: history.updatedAt || null,
  modifiedBy: history.updatedBy || null,
  version: history.revision,
});

/** The history of a record that cannot be believed. */
export const UNKNOWN_HISTORY: RecordHistory = {
  createdAt: '',
  createdBy: '',
  updatedAt: '',
  updatedBy: '',
  revision: 0,
};
