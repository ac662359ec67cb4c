import type { Grant } from '../../policy/grant.ts';
import type { Registry } from '../../registry/registry.ts';
import { fleetView } from '../../rotation/fleet-view.ts';
import type { Follower } from '../../rotation/follower.ts';
import type { Rotation } from '../../rotation/rotation.ts';
import { keyOf } from '../../store/keys.ts';
import { parseRotationRequest } from './rotation-input.ts';
import type { RotationRequest } from './rotation-input.ts';
import { answer, bodyOf, grantOf, noQuery } from './routes.ts';
import type { Routes } from './routes.ts';

export interface RotationRoutesOptions {
  readonly registry: Registry;
  readonly rotation: Rotation;
  readonly follower: Pick<Follower, 'fleet'>;
}

/** The REST API of rotation. Whoever gets here has an admin's Grant in the context. */
export function rotationRoutes({ registry, rotation, follower }: RotationRoutesOptions): Routes {
  const view = async () => fleetView(rotation.status, await follower.fleet());
  return {
    '': {
      GET: async (c) => {
        noQuery(c);
        await rotation.come();
        return answer(await view());
      },
      POST: async (c) => {
        noQuery(c);
        await begin(grantOf(c), parseRotationRequest(await bodyOf(c)));
        return answer(await view(), 202);
      },
    },
  };

  async function begin(grant: Grant, { action, gateway, cut }: RotationRequest): Promise<unknown> {
    if (action === 'reread' || gateway === undefined) {
      const scope = gateway === undefined ? 'all' : [keyOf('gateway', registry.find(gateway).id)];
      return rotation.request({ by: grant.subject, reason: 'request', scope, cut });
    }
    return registry.changes[action](grant, gateway);
  }
}
