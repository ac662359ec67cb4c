import type { CancelSignal } from '../../base/cancel-signal.ts';
import { GatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import {
  isResponse,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../../wire/json-rpc.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { abortError } from '../deadline.ts';
import { EventQueue } from '../event-queue.ts';
import type { TransportRequest } from '../transport.ts';

/** What belongs to no request, though one may be in flight. */
const UNSOLICITED = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

interface InFlight {
  readonly queue: EventQueue;
  readonly progressToken: unknown;
}

/**
 * Who gets what of one event stream: an answer goes to its request, progress to the request whose token it carries,
 * other messages to the latest request in flight, what belongs to none to whoever listens. Between callers who do not
 * know of each other nobody can tell whose the latest is, so there other messages go to nobody.
 */
export class LegacySseInbox {
  readonly #onIdle: () => void;
  readonly #audience: 'one' | 'many';
  readonly #inFlight = new Map<string, InFlight>();
  #listener: EventQueue | undefined;

  /** @param onIdle called whenever somebody waits no more */
  constructor(audience: 'one' | 'many', onIdle: () => void) {
    this.#audience = audience;
    this.#onIdle = onIdle;
  }

  /** True while nobody waits for anything. */
  get isIdle(): boolean {
    return this.#inFlight.size === 0 && this.#listener === undefined;
  }

  /** The queue of a request's answer. @throws GatewayError request_invalid while another with its id is in flight */
  expect(message: JsonRpcRequest, request: TransportRequest): EventQueue {
    const key = JSON.stringify(message.id);
    if (this.#inFlight.has(key))
      throw new GatewayError('request_invalid', 'a request with this id is in flight already', {
        details: { rpcCode: RPC.invalidRequest },
      });
    const queue = this.#queue(request, () => this.#inFlight.delete(key));
    const progressToken = asFields(message.params?.['_meta'])?.['progressToken'];
    this.#inFlight.set(key, { queue, progressToken });
    return queue;
  }

  /** The queue of what belongs to no request; undefined when somebody listens already. */
  listen(request: TransportRequest): EventQueue | undefined {
    if (this.#listener !== undefined) return undefined;
    this.#listener = this.#queue(request, () => (this.#listener = undefined));
    return this.#listener;
  }

  /** Hands a message on as the text it came in; false when nobody is there to take it. */
  deliver(message: JsonRpcMessage, text: string): boolean {
    if (isResponse(message)) return this.#answer(message, text);
    const receiver = this.#receiverOf(message);
    receiver?.push(text);
    return receiver !== undefined;
  }

  /** Fails every request in flight and ends the listener's stream. */
  close(error: GatewayError): void {
    for (const { queue } of this.#inFlight.values()) queue.fail(error);
    this.#listener?.end();
  }

  #answer({ id }: JsonRpcResponse, text: string): boolean {
    const waiting = this.#inFlight.get(JSON.stringify(id));
    waiting?.queue.push(text);
    waiting?.queue.end();
    return waiting !== undefined;
  }

  #receiverOf(message: JsonRpcRequest | JsonRpcNotification): EventQueue | undefined {
    const waiting = [...this.#inFlight.values()];
    if (message.method === 'notifications/progress') {
      const token = message.params?.['progressToken'];
      return waiting.find(({ progressToken }) => progressToken !== undefined && progressToken === token)?.queue;
    }
    const latest = this.#audience === 'one' ? waiting.at(-1)?.queue : undefined;
    if (UNSOLICITED.test(message.method)) return this.#listener ?? latest;
    return this.#audience === 'one' ? (latest ?? this.#listener) : undefined;
  }

  #queue({ signal, onEnd }: TransportRequest, remove: () => void): EventQueue {
    const onAbort = () => queue.fail(abortError(signal as CancelSignal));
    const queue = new EventQueue(() => {
      signal?.removeEventListener('abort', onAbort);
      remove();
      this.#onIdle();
    }, onEnd);
    signal?.addEventListener('abort', onAbort, { once: true });
    return queue;
  }
}
