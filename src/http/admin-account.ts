import type { MiddlewareHandler } from 'hono';
import { toGatewayError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { asFields } from '../base/fields.ts';
import { callerFields } from '../identity/caller-fields.ts';
import type { HttpEnv } from './env.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Tells what an administrator asked to be changed, and how that went; never what it was changed to. Stands behind
 * `requireGrant`.
 *
 * @param refuseUnrecorded throws where nothing may be changed
 */
export function accountForChanges(events: EventSink, refuseUnrecorded: () => void): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (READS.has(c.req.method)) return next();
    refuseUnrecorded();
    await next();
    const [route = c.req.path] = c.req.matchedRoutes
      .map(({ path }) => path)
      .filter((path) => !path.endsWith('*'))
      .slice(-1);
    events('admin.changed', {
      caller: callerFields(c.get('principal')),
      operation: `${c.req.method} ${route}`,
      record: c.req.param('id') ?? (await madeIn(c.res)),
      outcome: outcomeOf(c.error, c.res.status),
    });
  };
}

/** A record that was made is named in the answer. */
async function madeIn(response: Response): Promise<string | undefined> {
  if (!response.ok) return undefined;
  const { slug, id } =
    asFields(
      await response
        .clone()
        .json()
        .catch(() => undefined),
    ) ?? {};
  return [slug, id].find((name) => typeof name === 'string');
}

function outcomeOf(error: Error | undefined, status: number): 'ok' | ErrorCode {
  if (error !== undefined) return toGatewayError(error).code;
  if (status < 400) return 'ok';
  return status === 405 ? 'method_not_allowed' : 'internal';
}
