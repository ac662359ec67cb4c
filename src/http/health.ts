import { Hono } from 'hono';

/** Whether an upstream can be used, without what only operators may see. */
export interface GatewayCondition {
  readonly slug: string;
  readonly status: 'unknown' | 'healthy' | 'failing';
  /** Why it fails, when it does. */
  readonly code?: string | undefined;
  /** ISO 8601, of the failure. */
  readonly since?: string | undefined;
}

export interface HealthDeps {
  readonly version: string;
  /** `starting` until the first snapshot, `draining` once a stop began. */
  readonly phase: () => 'starting' | 'serving' | 'draining';
  /** The active gateways. */
  readonly conditions: () => readonly GatewayCondition[];
}

/**
 * /health: is the process fit; 200 whatever upstreams do. /ready: may work be sent here; 503 while starting and
 * draining. Neither asks for credentials, so neither shows messages or addresses.
 */
export function healthRoutes({ version, phase, conditions }: HealthDeps): Hono {
  const app = new Hono({ strict: false });
  app.get('/health', (c) => {
    const all = conditions();
    const failing = all.filter(({ status }) => status === 'failing');
    const status = failing.length > 0 ? 'degraded' : 'ok';
    return c.json({ status, version, phase: phase(), gateways: all.length, failing }, 200, NO_STORE);
  });
  app.get('/ready', (c) => {
    const now = phase();
    const ready = now === 'serving';
    return c.json({ ready, phase: now }, ready ? 200 : 503, NO_STORE);
  });
  return app;
}

const NO_STORE = { 'cache-control': 'no-store' };
