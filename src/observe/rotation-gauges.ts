import type { RotationStatus } from '../rotation/rotation.ts';
import type { Metrics } from './metrics.ts';

/** Gauges that say how far this instance is. */
export function watchRotation(metrics: Metrics, status: () => RotationStatus): void {
  metrics.gauge('postern_generation', () => {
    const { generation, inForce } = status();
    return [
      [['serving'], inForce],
      [['newest'], generation?.number ?? 0],
    ];
  });
  metrics.gauge('postern_rotation_last_success_seconds', () => {
    const { inForce, inForceAtMs } = status();
    return inForce === 0 ? [] : [[[], inForceAtMs / 1000]];
  });
  metrics.gauge('postern_rotation_problems', () => [[[], status().problems.length]]);
  metrics.gauge('postern_store_up', () => [[[], status().storeLostAtMs === undefined ? 1 : 0]]);
}
