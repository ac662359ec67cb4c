import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** PEM: what the server shows, and who must have issued its callers' certificates. */
export interface DemoServerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface DemoServer {
  readonly port: number;
  /** The common name of the client certificate of every request, in order of arrival. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** An MCP server on the official SDK in strict mode: without a client certificate of its authority, no service. */
export async function startDemoServer(tls: DemoServerTls, port = 0): Promise<DemoServer> {
  const log: string[] = [];
  const caller = new AsyncLocalStorage<string>();

  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'demo', version: '1.0.0' });
    const numbers = z.object({ a: z.number(), b: z.number() });
    server.registerTool('add', { description: 'Adds two numbers', inputSchema: numbers }, ({ a, b }) =>
      text(String(a + b)),
    );
    server.registerTool('who_called', { description: 'Names the client certificate this call came with' }, () =>
      text(caller.getStore() ?? ''),
    );
    return server;
  });
  // IncomingMessage satisfies the adapter but for exactOptionalPropertyTypes
  const serve = toNodeHandler(handler) as (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const commonName = commonNameOf(request);
    log.push(commonName);
    caller.run(commonName, () => serve(request, response)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    log,
    async close() {
      await handler.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function commonNameOf({ socket }: IncomingMessage): string {
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  return String(subject?.CN ?? '(none)');
}
