/** Fleets as the REST API shows them. */
import type { FleetView, InstanceView } from '../../src/rotation/fleet-view.ts';

export const problem = (name: string): InstanceView['problems'][number] => ({
  name,
  code: 'ca_unreadable',
  message: 'expected PEM, met something else',
});

export const instance = (
  name: string,
  state: InstanceView['state'],
  generation: number,
  problems: InstanceView['problems'] = [],
): InstanceView => ({ id: name, name, state, generation, at: '2026-07-01T00:00:00.000Z', problems, vaultKeys: ['k1'] });

/** At generation 7 of everything. */
export const view = (...instances: readonly InstanceView[]): FleetView => ({
  generation: { number: 7, id: 'g7', at: '2026-07-01T00:00:00.000Z', by: 'ann', reason: 'request', scope: 'all' },
  converged: false,
  instances,
  storeLostAt: null,
});
