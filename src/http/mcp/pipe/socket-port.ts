/** An open WebSocket as a runtime hands it in: text frames, each one JSON-RPC message. */
export interface MessageSocket {
  /** The peer's messages in order, the next only once it is asked for; ends, without failing, when the connection does. */
  readonly messages: AsyncIterable<string>;
  /** Sends one message; resolves when the peer can take more, and when the connection is gone. */
  send(text: string): Promise<void>;
  /** Says goodbye and closes. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 for the codes */
  close(code: number, reason: string): void;
}

/** A request that may become a WebSocket. */
export interface AcceptedSocket {
  /** The subprotocol to agree to; undefined for none. */
  readonly subprotocol: string | undefined;
  /** The longest message to accept; a longer one closes the connection with 1009. */
  readonly maxMessageBytes: number;
  /** Serves the connection until either side ends it; the socket is closed when this resolves. Never rejects. */
  serve(socket: MessageSocket): Promise<void>;
}
