import type { Network } from '../base/networks.ts';
import type { Principal } from './principal.ts';

/** Who a token says calls, and what has to hold of each request it comes with. */
export interface TokenCaller {
  readonly principal: Principal;
  /** SHA-256, in lower-case hex, of the client certificate it may only be sent with; undefined for any. */
  readonly boundTo: string | undefined;
  /** Resources it may only be sent to; absent where it is for all of the gateway. */
  readonly resources?: readonly string[];
  /** Where it may only come from; absent for anywhere. */
  readonly networks?: readonly Network[];
}

/** A token that was verified, as of now. */
export interface RecognisedToken extends TokenCaller {
  /** Milliseconds since the epoch; infinite for one that does not expire. */
  readonly expiresMs: number;
  /** Milliseconds since the epoch; undefined where it does not say. */
  readonly issuedMs: number | undefined;
  /** Its name among tokens of its issuer; undefined where it has none. */
  readonly jti: string | undefined;
}

/** Whether there is anything to be looked at with each request. */
export const isConditional = ({ boundTo, resources, networks }: TokenCaller): boolean =>
  boundTo !== undefined || resources !== undefined || networks !== undefined;
