/** The transports of the legacy era, on the official SDKs, each with the sessions it holds. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import {
  WebStandardStreamableHTTPServerTransport,
  type McpHandlerRequestOptions,
  type Server,
} from '@modelcontextprotocol/server';

export type WebHandler = (request: Request, options?: McpHandlerRequestOptions) => Promise<Response>;

export interface LegacyOptions {
  /** Whether legacy requests get a session; default true. */
  readonly legacySessions?: boolean | undefined;
  /** Answers with plain JSON bodies instead of event streams; server requests and notifications are then lost. */
  readonly jsonResponses?: boolean | undefined;
}

/** Streamable HTTP of the legacy era, with sessions or without. */
export function legacyHandler(build: () => Server, options: LegacyOptions) {
  const sessions = new Map<string, { transport: WebStandardStreamableHTTPServerTransport; server: Server }>();
  const json = options.jsonResponses ?? false;
  const refuse = (status: number, code: number, message: string) =>
    Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });

  const handle: WebHandler = async (request, extra) => {
    if (options.legacySessions === false) {
      if (request.method !== 'POST') return refuse(405, -32000, 'Method not allowed.');
      const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: json });
      await build().connect(transport);
      return transport.handleRequest(request, extra);
    }
    const sessionId = request.headers.get('mcp-session-id');
    if (sessionId !== null) {
      const session = sessions.get(sessionId);
      return session ? session.transport.handleRequest(request, extra) : refuse(404, -32001, 'Session not found');
    }
    const server = build();
    const transport = new WebStandardStreamableHTTPServerTransport({
      enableJsonResponse: json,
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, { transport, server }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport.handleRequest(request, extra);
  };
  return {
    handle,
    servers: () => [...sessions.values()].map(({ server }) => server),
    async closeAll() {
      const open = [...sessions.values()];
      sessions.clear();
      for (const { server } of open) await server.close();
    },
  };
}

/** HTTP+SSE of 2024-11-05: GET /sse opens the stream, POST /messages?sessionId=… sends. */
export function sseHandler(build: () => Server) {
  const sessions = new Map<string, { transport: SSEServerTransport; server: Server }>();

  return {
    async handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
      const url = new URL(req.url ?? '/', 'http://localhost');
      if (url.pathname === '/sse' && req.method === 'GET') {
        const transport = new SSEServerTransport('/messages', res);
        const server = build();
        sessions.set(transport.sessionId, { transport, server });
        res.on('close', () => sessions.delete(transport.sessionId));
        // the transport of SDK v1 and the server of SDK v2 speak the same messages
        return server.connect(transport);
      }
      const session = sessions.get(url.searchParams.get('sessionId') ?? '');
      if (url.pathname === '/messages' && req.method === 'POST' && session)
        return session.transport.handlePostMessage(req, res, body);
      res.writeHead(url.pathname === '/sse' ? 405 : 404).end('not found');
    },
    servers: () => [...sessions.values()].map(({ server }) => server),
    async closeAll() {
      const open = [...sessions.values()];
      sessions.clear();
      for (const { server } of open) await server.close();
    },
  };
}
