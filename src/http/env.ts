import type { CancelSignal } from '../base/cancel-signal.ts';
import type { Grant } from '../policy/grant.ts';
import type { CallerConnection } from '../identity/credentials.ts';
import type { Principal } from '../identity/principal.ts';
import type { AcceptedSocket } from './mcp/pipe/socket-port.ts';

/** What the listener knows of a request beside what it says. */
export interface Arrival {
  /** Aborts when the caller goes away before the answer has ended; default is the request's own. */
  readonly signal?: CancelSignal | undefined;
  /** Absent where nobody knows: then no certificate was shown, and no header of a proxy is believed. */
  readonly connection?: CallerConnection | undefined;
  /**
   * Names and values of the headers in turn, as they came; those of proxies are looked for in them. Default is the
   * request's own, which takes longer.
   */
  readonly rawHeaders?: readonly string[] | undefined;
}

/** What the listener hands in, and what authentication and policy leave in the context for the handlers behind them. */
export interface HttpEnv {
  Bindings: Arrival & {
    /** Takes the request as a WebSocket; absent where it does not ask to become one. */
    readonly onSocket?: (socket: AcceptedSocket) => void;
  };
  Variables: {
    principal: Principal;
    grant: Grant;
  };
}
