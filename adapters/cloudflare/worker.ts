/**
 * Postern on Cloudflare Workers: `main` of wrangler.toml. Hands each request to the gateway nearest to its caller; with
 * nothing done at import time.
 */
import type { DurableObjectNamespace, Fetcher } from './bindings.ts';

export { PosternGateway } from './gateway-object.ts';

/** What the entry itself needs; everything else is the gateway's. */
interface EntryEnv {
  readonly GATEWAY: DurableObjectNamespace;
}

/** Where a request came in; the platform's own member of a Request. */
interface Arrived {
  readonly cf?: { readonly colo?: unknown };
}

/** The instance cron wakes, and that of callers the platform says no place of. */
const HOME = 'home';

/** One gateway in each data centre that is called: near its callers, and no sessions scattered over many. */
function gatewayFor({ cf }: Arrived, { GATEWAY }: EntryEnv): Fetcher {
  return GATEWAY.getByName(typeof cf?.colo === 'string' ? cf.colo : HOME);
}

/** A deployment replaces the gateway under the requests it was answering. */
function replaced(): Response {
  const message = 'the gateway was replaced while it answered; the request may have been carried out';
  const body = { type: 'about:blank', title: 'connection cut', status: 503, code: 'connection_cut', message };
  return Response.json(body, { status: 503, headers: { 'content-type': 'application/problem+json' } });
}

export default {
  fetch: (request: Request, env: EntryEnv) =>
    gatewayFor(request as Arrived, env)
      .fetch(request)
      .catch(replaced),
  /** Awake, a gateway looks after its upstreams and follows the others by itself. */
  scheduled: async (_: unknown, env: EntryEnv) => {
    await gatewayFor({}, env).fetch('https://localhost/ready');
  },
};
