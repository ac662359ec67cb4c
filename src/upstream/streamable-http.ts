import type { Channel, ChannelResponse } from '../tls/dialer.ts';
import type { Outbound } from './credentials.ts';
import { headersTimeoutMs, type TransportRequest, type UpstreamTransport } from './transport.ts';

/** The channel of an upstream, opened on first use; at once when it is open. */
export type ChannelSource = () => Channel | Promise<Channel>;

/** Streamable HTTP, both eras: requests go out as they are. @see MCP 2026-07-28, transports */
export class StreamableHttp implements UpstreamTransport {
  readonly kind = 'streamable-http';
  readonly #channel: ChannelSource;
  readonly #outbound: Outbound;

  constructor(channel: ChannelSource, outbound: Outbound) {
    this.#channel = channel;
    this.#outbound = outbound;
  }

  send(request: TransportRequest): Promise<ChannelResponse> {
    const channel = this.#channel();
    if (channel instanceof Promise) return channel.then((opened) => this.#sendOver(opened, request));
    return this.#sendOver(channel, request);
  }

  #sendOver(channel: Channel, request: TransportRequest): Promise<ChannelResponse> {
    return channel.send({
      method: request.method,
      path: this.#outbound.path,
      headers: this.#outbound.headers(request.headers),
      body: request.body,
      signal: request.signal,
      headersTimeoutMs: headersTimeoutMs(request.mcpMethod),
      onEnd: request.onEnd,
      group: request.group,
    });
  }

  /** Requests are all there is. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
