import type { Grant } from '../policy/grant.ts';
import type { Principal } from '../identity/principal.ts';

/** What authentication and policy leave in the context for the handlers behind them. */
export interface HttpEnv {
  Variables: {
    principal: Principal;
    grant: Grant;
  };
}
