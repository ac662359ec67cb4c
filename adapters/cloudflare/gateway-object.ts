import { createGateway, toGatewayError } from '../../src/index.ts';
import type { Config, Gateway } from '../../src/index.ts';
import type { DurableObjectState, Env, SocketPair } from './bindings.ts';
import { certificateOf } from './caller-certificate.ts';
import { createPlatform, eventsOf } from './platform.ts';
import { readSettings } from './settings.ts';
import { answerSocket } from './web-socket.ts';

interface Running extends Pick<Config, 'clientAuth'> {
  readonly gateway: Gateway;
}

/** Asked by those who have no certificate, and say nothing that is not public. */
const PROBES = new Set(['/health', '/ready']);

/**
 * A gateway, in the one place of Workers where code runs to its end. What a Worker began for one request dies with it,
 * between two lines and without `finally`, and whoever shares it waits for ever: a flight shared by many, the one trial
 * of a breaker, a place in a queue, a parked call. A Durable Object has one I/O context for all its requests, and
 * timers. Instances of one store are replicas, as anywhere.
 */
export class PosternGateway {
  readonly #state: DurableObjectState;
  readonly #env: Env;
  #running: Promise<Running> | undefined;

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state;
    this.#env = env;
  }

  /** Answers one request; never rejects. */
  async fetch(request: Request): Promise<Response> {
    let running: Running;
    try {
      running = await (this.#running ??= this.#start());
    } catch (error) {
      return notStarted(toGatewayError(error).code);
    }
    const { gateway, clientAuth } = running;
    const verified = clientAuth === 'none' ? undefined : certificateOf(request);
    if (clientAuth === 'required' && !verified && !PROBES.has(new URL(request.url).pathname)) return notShown();
    const connection = verified && { address: undefined, chain: [], verified };
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return gateway.fetch(request, { connection });
    const accepted = await gateway.webSocket(request, { connection });
    if (!('serve' in accepted)) return accepted;
    const { WebSocketPair } = globalThis as unknown as { readonly WebSocketPair: SocketPair };
    return answerSocket(accepted, WebSocketPair);
  }

  /** Tried again with the next request, should it fail. */
  async #start(): Promise<Running> {
    let events = eventsOf('info');
    try {
      const { config, warnings } = readSettings(this.#env);
      events = eventsOf(config.logLevel);
      for (const warning of warnings) events('config.warned', warning);
      const gateway = await createGateway(config, await createPlatform(this.#env, config, events, this.#state));
      gateway.beginUpkeep();
      return { gateway, clientAuth: config.clientAuth };
    } catch (error) {
      this.#running = undefined;
      const { code, message, hint = '' } = toGatewayError(error);
      events('task.failed', { task: 'start', message: `${code}: ${message}; ${hint}` });
      throw error;
    }
  }
}

/** Elsewhere there would be no connection. */
function notShown(): Response {
  const message = 'expected a client certificate that the platform verified, met none';
  return problem({ status: 403, title: 'client certificate required', code: 'forbidden', message });
}

/** Why is in the log: whoever asks need not be the operator. */
function notStarted(code: string): Response {
  return problem({ status: 503, title: 'the gateway could not start', code, message: 'see the log of the Worker' });
}

function problem(body: { status: number; title: string; code: string; message: string }): Response {
  return Response.json(
    { type: 'about:blank', ...body },
    {
      status: body.status,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    },
  );
}
