import type { MiddlewareHandler } from 'hono';
import { GatewayError } from '../base/errors.ts';
import type { Principal } from '../identity/principal.ts';
import { decide } from '../policy/grant.ts';
import type { Action, Grant } from '../policy/grant.ts';
import type { HttpEnv } from './env.ts';

/**
 * The caller behind an Authorization header; at once where nothing has to be computed.
 *
 * @throws GatewayError unauthenticated, token_expired
 */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

/** The caller of a request. @throws GatewayError unauthenticated, token_expired */
export function callerOf(request: Request, authenticate: Authenticate): Principal | Promise<Principal> {
  return authenticate(request.headers.get('authorization') ?? undefined);
}

/** Policy's yes. @throws GatewayError forbidden */
export function granted(principal: Principal, action: Action): Grant {
  const decision = decide(principal, action);
  if (decision.allowed) return decision.grant;
  throw new GatewayError('forbidden', decision.reason);
}

/** Lets nobody past who may not do `action`; those behind it find the grant in the context. */
export function requireGrant(authenticate: Authenticate, action: Action): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const principal = await callerOf(c.req.raw, authenticate);
    c.set('principal', principal);
    c.set('grant', granted(principal, action));
    await next();
  };
}
