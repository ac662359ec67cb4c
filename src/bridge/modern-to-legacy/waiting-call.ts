import type { GatewayError } from '../../base/errors.ts';
import type { Fields } from '../../base/fields.ts';
import type { JsonRpcResponse } from '../../wire/json-rpc.ts';

/** What a call came to: its answer, or questions its caller is to answer first. */
export type Turn =
  | { readonly kind: 'answered'; readonly answer: JsonRpcResponse }
  | { readonly kind: 'asks'; readonly inputRequests: Fields };

/** Takes the notifications a caller is to hear. */
export type Tell = (notification: Fields) => void;

/** A call that may have to wait for its caller, wherever it runs. */
export interface WaitingCall {
  /**
   * Goes on until the call is answered or asks something.
   *
   * @throws GatewayError why there will be no answer
   */
  next(tell: Tell): Promise<Turn>;
  /**
   * Hands the caller's answers to the server; what they leave out is asked again.
   *
   * @throws GatewayError upstream_session_lost, upstream_protocol and dial codes
   */
  answer(inputResponses: Fields): Promise<void>;
  /** Ends the call here and at the server, if it has not ended. Never throws. */
  cancel(reason: GatewayError): Promise<void>;
}
