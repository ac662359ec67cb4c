/**
 * The floor: what any Node relay with mutual TLS costs before it does something useful. Reads the body, sends it on
 * through one undici Agent, reads the answer, sends it back. No parsing, no checks, no policy, no logs.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
// Bun takes the bare name for a thing of its own, which presents no certificate
import { Agent } from 'undici/index.js';

export interface RelayMaterial {
  readonly origin: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const FORWARDED = ['content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'];

function serve({ origin, ca, cert, key }: RelayMaterial): void {
  const secureContext = createSecureContext({ ca, cert, key });
  const agent = new Agent({ connect: { secureContext }, allowH2: false, connections: null });
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers: Record<string, string> = {};
    for (const name of FORWARDED) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const answer = await agent.request({ origin, path: '/mcp', method: 'POST', headers, body: Buffer.concat(chunks) });
    const body = await answer.body.text();
    response
      .writeHead(answer.statusCode, {
        'content-type': String(answer.headers['content-type']),
        'content-length': Buffer.byteLength(body),
      })
      .end(body);
  };
  const server = createServer((request, response) => {
    relay(request, response).catch((error: Error) => response.writeHead(502).end(error.message));
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

process.once('message', (material: RelayMaterial) => serve(material));
process.once('disconnect', () => process.exit());
