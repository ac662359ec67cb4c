/**
 * policy: may they.
 *
 * Pure decisions without I/O, deny by default. Must not know how a caller was recognised or what an answer looks like
 * on the wire.
 */
import type { Principal } from '../identity/principal.ts';

/** What a caller may ask for. */
export type Action = { readonly kind: 'mcp' } | { readonly kind: 'admin' } | { readonly kind: 'metrics' };

declare const grantBrand: unique symbol;

/** Proof that policy said yes; nothing reaches an upstream without one. */
export interface Grant {
  readonly [grantBrand]: true;
  readonly subject: string;
  readonly action: Action['kind'] | 'upkeep';
  /** Absent for the gateway's own work. */
  readonly principal?: Principal;
}

/** The outcome of policy; a refusal's reason is for the caller to read. */
export type Decision =
  | { readonly allowed: true; readonly grant: Grant }
  | { readonly allowed: false; readonly reason: string };

const mint = (facts: Omit<Grant, typeof grantBrand>): Grant =>
  // the brand exists for the compiler only
  Object.freeze(facts) as Grant;

/** Whether `principal` may do `action`: MCP and metrics for everyone recognised, administration for admins. */
export function decide(principal: Principal, action: Action): Decision {
  if (action.kind !== 'admin' || principal.role === 'admin')
    return { allowed: true, grant: mint({ subject: principal.subject, action: action.kind, principal }) };
  return { allowed: false, reason: `${principal.subject} has role ${principal.role}; administration needs role admin` };
}

/** The gateway's own work on an upstream: health, refresh, shared sessions. */
export function grantUpkeep(purpose: string): Grant {
  return mint({ subject: `postern:${purpose}`, action: 'upkeep' });
}
