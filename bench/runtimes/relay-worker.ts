/** The floor on Workers: what goes through a binding and back. What it forwards is what bench/load/relay.ts forwards. */
import type { Fetcher } from '../../adapters/cloudflare/bindings.ts';

interface Env {
  readonly CLIENT: Fetcher;
  readonly UPSTREAM: string;
}

const FORWARDED = ['content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'];

/** Under the name the configuration of the Worker has for its gateways. */
export class PosternGateway {
  readonly #env: Env;

  constructor(_: unknown, env: Env) {
    this.#env = env;
  }

  fetch(request: Request): Promise<Response> {
    return relay(request, this.#env);
  }
}

export default { fetch: relay };

async function relay(request: Request, { CLIENT, UPSTREAM }: Env): Promise<Response> {
  const headers: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const answer = await CLIENT.fetch(`${UPSTREAM}/mcp`, { method: 'POST', headers, body: await request.text() });
  const type = answer.headers.get('content-type') ?? '';
  return new Response(await answer.text(), { status: answer.status, headers: { 'content-type': type } });
}
