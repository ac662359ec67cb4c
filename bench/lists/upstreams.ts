/** Many small servers of the modern era in one process, a port each, whose lists last as long as they are told. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The first message starts the servers, later ones change what they do; each is answered. */
export interface Upstreams {
  readonly servers?: number;
  /** Tools of each server. */
  readonly tools?: number;
  /** How long a list may be kept. */
  readonly ttlMs?: number;
  /** Milliseconds the last server takes for its list. */
  readonly slowMs?: number;
}

interface Message {
  readonly id?: number | string;
  readonly method: string;
}

const state = { tools: 0, ttlMs: 0, slowMs: 0, lists: 0, ports: [] as number[] };

/** As large as tools are in the field: some 400 bytes. */
const toolOf = (server: number, tool: number) => ({
  name: `tool_${tool}`,
  title: `Tool ${tool} of server ${server}`,
  description: 'Looks something up in a system of record and answers with what it found there. '.repeat(2),
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', description: 'What to look for' }, limit: { type: 'integer' } },
    required: ['query'],
  },
});

function resultOf(method: string, server: number): object | undefined {
  const capabilities = { tools: {} };
  switch (method) {
    case 'server/discover':
      return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities };
    case 'tools/list': {
      const tools = Array.from({ length: state.tools }, (_, tool) => toolOf(server, tool));
      return { resultType: 'complete', ttlMs: state.ttlMs, cacheScope: 'public', tools };
    }
    default:
      return undefined;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, server: number): Promise<void> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const { id, method } = JSON.parse(text) as Message;
  if (method === 'tools/list') state.lists++;
  const isSlow = method === 'tools/list' && server === state.ports.length - 1 && state.slowMs > 0;
  if (isSlow) await new Promise((resolve) => setTimeout(resolve, state.slowMs));
  const result = resultOf(method, server);
  const error = { code: -32601, message: 'method not found' };
  const body = JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error }) });
  response.writeHead(result ? 200 : 404, { 'content-type': 'application/json' }).end(body);
}

async function start(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const server = createServer((request, response) => void answer(request, response, index));
    server.keepAliveTimeout = 600_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    state.ports.push((server.address() as AddressInfo).port);
  }
}

process.on('message', ({ servers, ...change }: Upstreams) => {
  Object.assign(state, change);
  void start(servers ?? 0).then(() => process.send?.({ ports: state.ports, lists: state.lists }));
});
process.once('disconnect', () => process.exit());
