/**
 * The warm upstream of the load bench, in its own process: as much of an MCP server as a gateway asks for, behind
 * node:https, with client certificates required. It does next to nothing, so that what is measured is the way to it.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface UpstreamMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const TOOL = { name: 'echo', description: 'Answers with about a kilobyte', inputSchema: { type: 'object' } };
const PAYLOAD = 'x'.repeat(1024);

interface Request {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string };
}

function resultOf({ method, params }: Request): Record<string, unknown> | undefined {
  const serverInfo = { name: 'bench', version: '1.0.0' };
  switch (method) {
    case 'initialize':
      return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    case 'server/discover':
      return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo };
    case 'tools/list':
      return { resultType: 'complete', tools: [TOOL] };
    case 'tools/call':
      return { resultType: 'complete', content: [{ type: 'text', text: PAYLOAD }] };
    case 'ping':
      return {};
    default:
      return undefined;
  }
}

function serve(material: UpstreamMaterial): void {
  const sessionId = crypto.randomUUID();
  const server = createServer({ ...material, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const message = JSON.parse(text) as Request;
      if (message.id === undefined) return void response.writeHead(202).end();
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
  });
  // connections must outlive the pauses between rounds
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

process.once('message', (material: UpstreamMaterial) => serve(material));
process.once('disconnect', () => process.exit());
