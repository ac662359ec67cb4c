import { createGateway, toGatewayError } from '../../src/index.ts';
import type { Gateway } from '../../src/index.ts';
import type { DurableObjectState, Env, SocketPair } from './bindings.ts';
import { createPlatform, eventsOf } from './platform.ts';
import { readSettings } from './settings.ts';
import { answerSocket } from './web-socket.ts';

/**
 * A gateway, in the one place of Workers where code runs to its end. What a Worker began for one request dies with it,
 * between two lines and without `finally`, and whoever shares it waits for ever: a flight shared by many, the one trial
 * of a breaker, a place in a queue, a parked call. A Durable Object has one I/O context for all its requests, and
 * timers. Instances of one store are replicas, as anywhere.
 */
export class PosternGateway {
  readonly #state: DurableObjectState;
  readonly #env: Env;
  #gateway: Promise<Gateway> | undefined;

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state;
    this.#env = env;
  }

  /** Answers one request; never rejects. */
  async fetch(request: Request): Promise<Response> {
    let gateway: Gateway;
    try {
      gateway = await (this.#gateway ??= this.#start());
    } catch (error) {
      return notStarted(toGatewayError(error).code);
    }
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return gateway.fetch(request);
    const accepted = await gateway.webSocket(request);
    if (!('serve' in accepted)) return accepted;
    const { WebSocketPair } = globalThis as unknown as { readonly WebSocketPair: SocketPair };
    return answerSocket(accepted, WebSocketPair);
  }

  /** Tried again with the next request, should it fail. */
  async #start(): Promise<Gateway> {
    let events = eventsOf('info');
    try {
      const { config, warnings } = readSettings(this.#env);
      events = eventsOf(config.logLevel);
      for (const warning of warnings) events('config.warned', warning);
      const gateway = await createGateway(config, await createPlatform(this.#env, config, events, this.#state));
      gateway.beginUpkeep();
      return gateway;
    } catch (error) {
      this.#gateway = undefined;
      const { code, message } = toGatewayError(error);
      events('task.failed', { task: 'start', message: `${code}: ${message}` });
      throw error;
    }
  }
}

/** Why is in the log: whoever asks need not be the operator. */
function notStarted(code: string): Response {
  const body = {
    type: 'about:blank',
    title: 'the gateway could not start',
    status: 503,
    code,
    message: 'see the log of the Worker',
  };
  return Response.json(body, {
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
