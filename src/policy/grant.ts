/**
 * policy: may they.
 *
 * Pure decisions without I/O, deny by default. Must not know how a caller was recognised or what an answer looks like
 * on the wire.
 */
import type { Principal } from '../identity/principal.ts';
import type { RuleSet, Verdict } from './rule-set.ts';

/** What a caller may ask for; of MCP the rules decide per server and item, see RuleSet. */
export type Action =
  | { readonly kind: 'mcp' }
  /** The name is an AdminAction. Without one: what every admin may see, as the description of the API. */
  | { readonly kind: 'admin'; readonly name?: string }
  | { readonly kind: 'metrics' };

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
  | { readonly allowed: false; readonly reason: string; readonly rule: string | undefined };

const mint = (facts: Omit<Grant, typeof grantBrand>): Grant =>
  // the brand exists for the compiler only
  Object.freeze(facts) as Grant;

/**
 * Whether `principal` may do `action`. Without rules MCP and metrics are for everyone recognised; administration is for
 * admins, whatever rules say.
 * What a credential was narrowed down to is of MCP.
 *
 * @param rules those that apply to the principal, see Policy
 */
export function decide(principal: Principal, action: Action, rules?: RuleSet): Decision {
  const { subject, role, scope } = principal;
  if (scope !== undefined && action.kind !== 'mcp') {
    const reason = `the token of ${subject} was made for some servers or tools only`;
    return { allowed: false, reason, rule: undefined };
  }
  if (action.kind === 'admin' && role !== 'admin') {
    const reason = `${subject} has role ${role}; administration needs role admin`;
    return { allowed: false, reason, rule: undefined };
  }
  const name = action.kind === 'metrics' ? 'metrics:read' : action.kind === 'admin' ? action.name : undefined;
  const { allowed, rule } = (name === undefined ? undefined : rules?.admin(name)) ?? ALLOWED;
  if (!allowed) return { allowed, rule, reason: `the policy does not let ${subject} do ${name}` };
  return { allowed: true, grant: mint({ subject, action: action.kind, principal }) };
}

const ALLOWED: Verdict = { allowed: true, rule: undefined };

/** The gateway's own work on an upstream: health, refresh, shared sessions. */
export function grantUpkeep(purpose: string): Grant {
  return mint({ subject: `postern:${purpose}`, action: 'upkeep' });
}
