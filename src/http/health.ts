import { Hono } from 'hono';
import type { AuditCondition } from '../audit/audit-trail.ts';
import type { RevocationCondition } from '../observe/revocation-condition.ts';

/** Whether an upstream can be used, without what only operators may see. */
export interface GatewayCondition {
  readonly slug: string;
  readonly status: 'unknown' | 'healthy' | 'failing';
  /** Why it fails, when it does. */
  readonly code?: string | undefined;
  /** ISO 8601, of the failure. */
  readonly since?: string | undefined;
}

/** How far this instance is, without what only operators may see. */
export interface RotationCondition {
  /** The number of the generation in force here; 0 before the first. */
  readonly serving: number;
  /** The one that is not in force as it should be, and why. */
  readonly failed?:
    | { readonly generation: number; readonly because: readonly { name: string; code: string }[] }
    | undefined;
  /** ISO 8601; absent while the store can be read. */
  readonly storeLostAt?: string | undefined;
}

export interface HealthDeps {
  readonly version: string;
  /** `starting` until the first snapshot, `draining` once a stop began. */
  readonly phase: () => 'starting' | 'serving' | 'draining';
  /** The active gateways. */
  readonly conditions: () => readonly GatewayCondition[];
  readonly rotation: () => RotationCondition;
  /** Undefined while nothing is wrong. */
  readonly revocation?: () => RevocationCondition | undefined;
  /** Undefined while records are kept, or nobody asked for them. */
  readonly audit?: () => AuditCondition | undefined;
}

/**
 * /health: is the process fit; 200 whatever upstreams do. /ready: may work be sent here; 503 while starting and
 * draining. Neither asks for credentials, so neither shows messages or addresses.
 */
export function healthRoutes({ version, phase, conditions, rotation, revocation, audit }: HealthDeps): Hono {
  const app = new Hono({ strict: false });
  app.get('/health', (c) => {
    const all = conditions();
    const failing = all.filter(({ status }) => status === 'failing');
    const rotated = rotation();
    const unchecked = revocation?.();
    const unrecorded = audit?.();
    const isDegraded =
      unchecked !== undefined ||
      unrecorded !== undefined ||
      failing.length > 0 ||
      rotated.failed !== undefined ||
      rotated.storeLostAt !== undefined;
    const status = isDegraded ? 'degraded' : 'ok';
    const body = {
      status,
      version,
      phase: phase(),
      gateways: all.length,
      failing,
      rotation: rotated,
      revocation: unchecked,
      audit: unrecorded,
    };
    return c.json(body, 200, NO_STORE);
  });
  app.get('/ready', (c) => {
    const now = phase();
    const ready = now === 'serving';
    return c.json({ ready, phase: now }, ready ? 200 : 503, NO_STORE);
  });
  return app;
}

const NO_STORE = { 'cache-control': 'no-store' };
