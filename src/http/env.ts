import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Grant } from '../policy/grant.ts';
import type { Principal } from '../identity/principal.ts';
import type { AcceptedSocket } from './mcp/pipe/socket-port.ts';

/** What the listener hands in, and what authentication and policy leave in the context for the handlers behind them. */
export interface HttpEnv {
  Bindings: {
    /** Aborts when the caller goes away, where the listener knows it more cheaply than `Request.signal`. */
    readonly signal?: CancelSignal;
    /** Takes the request as a WebSocket; absent where it does not ask to become one. */
    readonly onSocket?: (socket: AcceptedSocket) => void;
  };
  Variables: {
    principal: Principal;
    grant: Grant;
  };
}
