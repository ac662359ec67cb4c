import type { Context, MiddlewareHandler } from 'hono';
import { GatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { CallerConnection, Credentials } from '../identity/credentials.ts';
import type { Principal } from '../identity/principal.ts';
import { decide } from '../policy/grant.ts';
import type { Action, Grant } from '../policy/grant.ts';
import type { Policies } from '../policy/policies.ts';
import type { HttpEnv } from './env.ts';

/**
 * The caller behind credentials; at once where nothing has to be computed.
 *
 * @throws GatewayError unauthenticated, token_expired
 */
export type Authenticate = (credentials: Credentials) => Principal | Promise<Principal>;

/** A request, and the connection it came over. */
export interface Incoming {
  readonly request: Request;
  /** Absent where nobody knows. */
  readonly connection?: CallerConnection | undefined;
}

/** The caller of a request. @throws GatewayError unauthenticated, token_expired */
export function callerOf(
  { request, connection }: Incoming,
  authenticate: Authenticate,
): Principal | Promise<Principal> {
  return authenticate({ headers: request.headers, connection, target: request });
}

/** What a handler was given. */
export function incomingOf(c: Context<HttpEnv>): Incoming {
  return { request: c.req.raw, connection: c.env.connection };
}

/** What decides, and who is told of refusals. */
export interface Deciding {
  readonly policies: Policies;
  readonly events: EventSink;
}

/** Policy's yes. @throws GatewayError forbidden */
export function granted(principal: Principal, action: Action, { policies, events }: Deciding): Grant {
  const decision = decide(principal, action, policies.inForce.rulesOf(principal));
  if (decision.allowed) return decision.grant;
  const name = 'name' in action ? action.name : undefined;
  const { rule = null } = decision;
  events('policy.refused', { subject: principal.subject, action: name ?? action.kind, rule });
  throw new GatewayError('forbidden', decision.reason);
}

/** Lets nobody past who may not do what is asked for; those behind it find the grant in the context. */
export function requireGrant(
  authenticate: Authenticate,
  actionOf: (c: Context<HttpEnv>) => Action,
  deciding: Deciding,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const principal = await callerOf(incomingOf(c), authenticate);
    c.set('principal', principal);
    c.set('grant', granted(principal, actionOf(c), deciding));
    await next();
  };
}
