import { healthOf } from '../registry/gateway-health.ts';
import type { Registry } from '../registry/registry.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { GatewayCondition, RotationCondition } from './health.ts';

/** The active gateways, as /health shows them. One whose record cannot be read is among them: nobody knows whether it was to serve. */
export function conditionsOf(registry: Registry): GatewayCondition[] {
  return registry
    .list()
    .filter(({ record }) => record?.enabled ?? true)
    .map((gateway) => {
      const { status, reason } = healthOf(gateway);
      return { slug: gateway.record?.slug ?? gateway.id, status, code: reason?.code, since: reason?.at };
    });
}

/** How far this instance has come, without messages. */
export function rotationConditionOf({ status }: Rotation): RotationCondition {
  const { generation, inForce, failing, storeLostAtMs } = status;
  const because = failing.map(({ name, code }) => ({ name, code }));
  return {
    serving: inForce,
    failed: generation && because.length > 0 ? { generation: generation.number, because } : undefined,
    storeLostAt: storeLostAtMs === undefined ? undefined : new Date(storeLostAtMs).toISOString(),
  };
}
