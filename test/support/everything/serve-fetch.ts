import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';

/** A fetch handler on a free port of loopback. */
export interface FetchServer {
  /** With the path of MCP; by name, since the suite tells loopback from other hosts by the name. */
  readonly url: string;
  close(): Promise<void>;
}

export async function serveFetch(fetch: (request: Request) => Promise<Response>): Promise<FetchServer> {
  // a request satisfies the adapter but for exactOptionalPropertyTypes
  const server = createServer(toNodeHandler({ fetch }) as RequestListener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/mcp`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
