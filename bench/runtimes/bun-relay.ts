/** The floor on Bun: its own server and its own fetch. What it forwards is what bench/load/relay.ts forwards. */
import type { RelayMaterial } from '../load/relay.ts';

/** As much of Bun as is used here. */
declare const Bun: {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly idleTimeout: number;
    readonly fetch: (request: Request) => Promise<Response>;
  }): { readonly port: number };
};

const FORWARDED = ['content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'];

function serve({ origin, ca, cert, key }: RelayMaterial): void {
  const relay = async (request: Request): Promise<Response> => {
    const headers: Record<string, string> = {};
    for (const name of FORWARDED) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const options = { method: 'POST', headers, body: await request.arrayBuffer(), tls: { ca, cert, key } };
    const answer = await fetch(`${origin}/mcp`, options);
    const body = await answer.text();
    return new Response(body, {
      status: answer.status,
      headers: { 'content-type': answer.headers.get('content-type') ?? '' },
    });
  };
  // zero is for ever: connections must outlive the pauses between rounds
  const { port } = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 0, fetch: relay });
  process.send?.({ port });
}

process.once('message', (material: RelayMaterial) => serve(material));
process.once('disconnect', () => process.exit());
