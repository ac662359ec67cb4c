/**
 * As much of an MCP server as a gateway asks for, in both eras, with JSON answers and next to no work of its own: for
 * tests that make many calls. `startMcpUpstream` is the real thing.
 */
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface PlainMcpServer {
  /** `…/mcp` on 127.0.0.1. */
  readonly url: string;
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /** TLS handshakes completed so far. */
  readonly handshakes: number;
  /** Answered `tools/call` requests by common name of the client certificate; `''` without one. */
  readonly calls: ReadonlyMap<string, number>;
  /** Closes every connection now; the server goes on listening. */
  dropConnections(): void;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string; readonly arguments?: { readonly text?: string } };
}

const TOOL = { name: 'echo', description: 'Answers with its text', inputSchema: { type: 'object' } };
const serverInfo = { name: 'plain', version: '1.0.0' };
const capabilities = { tools: {} };

function resultOf({ method, params }: Message): object | undefined {
  switch (method) {
    case 'initialize':
      return { protocolVersion: params?.protocolVersion, capabilities, serverInfo };
    case 'server/discover':
      return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities, serverInfo };
    case 'tools/list':
      return { resultType: 'complete', tools: [TOOL] };
    case 'tools/call':
      return { resultType: 'complete', content: [{ type: 'text', text: params?.arguments?.text ?? '' }] };
    case 'ping':
      return {};
    default:
      return undefined;
  }
}

/** Answers a call of the tool in the server's place, or leaves it to the server with false. */
export type AnswerCall = (
  call: { readonly id: number | string; readonly text: string },
  response: ServerResponse,
) => boolean;

/** Starts a server; close it in a `finally`. */
export async function startPlainMcpServer(tls?: ServerOptions, answerCall?: AnswerCall): Promise<PlainMcpServer> {
  const sessionId = crypto.randomUUID();
  const calls = new Map<string, number>();
  const counts = { connections: 0, open: 0, handshakes: 0 };
  const clients = new WeakMap<Socket, string>();
  const clientOf = (socket: Socket): string => {
    const known = clients.get(socket);
    if (known !== undefined) return known;
    const subject = socket instanceof TLSSocket ? (socket.getPeerCertificate().subject?.CN ?? '') : '';
    clients.set(socket, String(subject));
    return String(subject);
  };
  const listener: RequestListener = (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const message = JSON.parse(text) as Message;
      if (message.id === undefined) return void response.writeHead(202).end();
      const client = clientOf(request.socket);
      if (message.method === 'tools/call') calls.set(client, (calls.get(client) ?? 0) + 1);
      const call = { id: message.id, text: message.params?.arguments?.text ?? '' };
      if (message.method === 'tools/call' && answerCall?.(call, response)) return;
      const result = resultOf(message);
      const error = { code: -32601, message: 'method not found' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...(result ? { result } : { error }) });
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(message.method === 'initialize' && { 'mcp-session-id': sessionId }),
        })
        .end(body);
    });
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  server.on('connection', (socket: Socket) => {
    counts.connections++;
    counts.open++;
    socket.on('close', () => counts.open--);
  });
  server.on('secureConnection', () => counts.handshakes++);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/mcp`,
    get connections() {
      return counts.connections;
    },
    get openConnections() {
      return counts.open;
    },
    get handshakes() {
      return counts.handshakes;
    },
    calls,
    dropConnections: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
