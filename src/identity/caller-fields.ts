import type { CallerFields } from '../base/events/caller-events.ts';
import type { Principal } from './principal.ts';

/** What events say of a caller; what else is claimed of it stays out. */
export function callerFields({ subject, role, method, issuer, certificate }: Principal): CallerFields {
  return { subject, role, method, issuer, certificate };
}

/** The same, once for each principal: whoever writes many lines of one caller writes it once. */
export function rememberedCallerFields(): (principal: Principal) => CallerFields {
  const known = new WeakMap<Principal, CallerFields>();
  return (principal) => {
    let fields = known.get(principal);
    if (fields === undefined) known.set(principal, (fields = callerFields(principal)));
    return fields;
  };
}
