/** A legacy server as the bridge sees it: an Upstream whose every answer a test scripts. */
import { streamAnswer } from './scripted-server.ts';
import type { ScriptedStream } from './scripted-server.ts';
import type { ChannelResponse } from '../../src/tls/dialer.ts';
import { textResponse } from '../../src/upstream/ready-response.ts';
import type { UpstreamRequest } from '../../src/upstream/transport.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import type { GatewayError } from '../../src/base/errors.ts';
import type { Fields } from '../../src/base/fields.ts';

export interface PeerRequest extends UpstreamRequest {
  readonly session: string | undefined;
  readonly message: Fields;
}

export interface LegacyPeer {
  readonly upstream: Upstream;
  /** Every request so far. */
  readonly requests: PeerRequest[];
  /** Those with this JSON-RPC method, `response` for answers, or this HTTP method. */
  of(label: string): PeerRequest[];
  /** Sessions that were ended. */
  ended(): readonly string[];
  /** Answers what is no initialize, notification, answer or DELETE; undefined goes on with a stream, see `streams`. */
  answer: (request: PeerRequest) => ChannelResponse | undefined;
  /** Answers notifications and responses; 202 by default. */
  take: (request: PeerRequest) => ChannelResponse;
  /** The streams that were answered with, in order. */
  readonly streams: ScriptedStream[];
  /** Says goodbye, as closing the upstream does. */
  close(): Promise<void>;
}

/** One JSON-RPC message as a whole response. */
export const messageAnswer = (message: object, headers: Readonly<Record<string, string>> = {}): ChannelResponse =>
  textResponse(200, JSON.stringify({ jsonrpc: '2.0', ...message }), { 'content-type': 'application/json', ...headers });

/** @param keepsSessions whether it gives out session ids; default true */
export function scriptPeer({ keepsSessions = true, logging = true } = {}): LegacyPeer {
  const requests: PeerRequest[] = [];
  const streams: ScriptedStream[] = [];
  const farewells: (() => Promise<void>)[] = [];
  let lastSession = 0;
  let lastSharedId = 0;
  const sessionHeaders = (id: string): Record<string, string> => (keepsSessions ? { 'mcp-session-id': id } : {});
  const shared = {
    headers: { 'mcp-protocol-version': '2025-11-25', ...sessionHeaders('shared') },
    nextId: () => ++lastSharedId,
    renew: async () => shared,
  };

  const initialized = ({ message }: PeerRequest): ChannelResponse =>
    messageAnswer(
      { id: message['id'], result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'peer' } } },
      sessionHeaders(`s${++lastSession}`),
    );
  const respond = (request: PeerRequest): ChannelResponse => {
    const { message, method } = request;
    if (method === 'DELETE') return textResponse(200, '');
    if (message['method'] === 'initialize') return peer.answer(request) ?? initialized(request);
    if (method === 'POST' && (message['id'] === undefined || message['method'] === undefined))
      return peer.take(request);
    const scripted = peer.answer(request);
    if (scripted) return scripted;
    if (message['method'] === 'logging/setLevel') return messageAnswer({ id: message['id'], result: {} });
    const stream = streamAnswer();
    request.signal?.addEventListener('abort', () => stream.fail(request.signal?.reason as GatewayError));
    streams.push(stream);
    return { ...stream.answer, body: () => Promise.resolve(stream.answer.stream()) };
  };
  const upstream = {
    config: { id: 'u', passthroughHeaders: ['x-tenant'] },
    facts: { legacy: { protocolVersion: '2025-11-25', capabilities: logging ? { logging: {} } : {} } },
    sharedSession: async () => shared,
    beforeClose: (farewell: () => Promise<void>) => void farewells.push(farewell),
    send: async (_grant: unknown, request: UpstreamRequest): Promise<ChannelResponse> => {
      if (request.signal?.aborted) throw request.signal.reason;
      const message = (request.body === undefined ? {} : JSON.parse(request.body)) as Fields;
      const seen = { ...request, message, session: request.headers['mcp-session-id'] };
      requests.push(seen);
      return respond(seen);
    },
  };
  const labelOf = ({ message, method }: PeerRequest): unknown =>
    method === 'POST' ? (message['method'] ?? 'response') : method;
  const peer: LegacyPeer = {
    // as much of one as the bridge touches
    upstream: upstream as unknown as Upstream,
    requests,
    of: (label) => requests.filter((request) => labelOf(request) === label),
    ended: () => peer.of('DELETE').map(({ session }) => session ?? ''),
    answer: () => undefined,
    take: () => textResponse(202, ''),
    streams,
    close: async () => void (await Promise.all(farewells.map((farewell) => farewell()))),
  };
  return peer;
}
