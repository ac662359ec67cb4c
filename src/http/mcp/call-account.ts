import type { Clock } from '../../base/clock.ts';
import { toGatewayError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { CallerFields } from '../../base/events/caller-events.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { JsonRpcMessage } from '../../wire/json-rpc.ts';
import { targetOf } from '../../wire/mcp.ts';
import { LEFT, withToldEnd } from './told-end.ts';

const MAX_PATH_LENGTH = 256;
const MAX_METHOD_LENGTH = 128;
const MAX_NAME_LENGTH = 512;
/** Streams without an end of their own: told of when they open. */
const ENDLESS = new Set(['GET', 'subscriptions/listen']);

export interface AccountDeps {
  readonly clock: Clock;
  readonly events: EventSink;
}

/** What is told of one request to an MCP address: who asked what of whom, and how it ended; told once. */
export class CallAccount {
  readonly #deps: AccountDeps;
  readonly #caller: CallerFields;
  readonly #request: Pick<Request, 'method' | 'url'>;
  readonly #startedMs: number;
  #method: string;
  #name: string | undefined;
  #upstream: string | undefined;
  #outcome: 'ok' | ErrorCode = 'ok';

  constructor(caller: CallerFields, request: Pick<Request, 'method' | 'url'>, deps: AccountDeps) {
    this.#caller = caller;
    this.#request = request;
    this.#deps = deps;
    this.#method = request.method;
    this.#startedMs = deps.clock.monotonicMs();
  }

  /** What is asked. Of what is said only the method and the name are kept. */
  asks(message: JsonRpcMessage, { transparent, members, catalogue }: VirtualServer): void {
    if (!('method' in message)) {
      this.#method = 'response';
      return;
    }
    const target = targetOf(message);
    this.#method = cut(message.method, MAX_METHOD_LENGTH);
    if (target.by !== 'none') this.#name = cut(target.value, MAX_NAME_LENGTH);
    const member = transparent ? members[0] : target.by === 'none' ? undefined : catalogue.route(target)?.member;
    this.#upstream = member?.upstream.config.slug;
  }

  /** Why there is no other answer than an error. */
  failed(thrown: unknown): void {
    this.#outcome = toGatewayError(thrown).code;
  }

  /** The answer as it goes out; one that is a stream is told of when it ends. */
  answered(response: Response): Response {
    if (ENDLESS.has(this.#method)) {
      this.tell();
      return response;
    }
    return withToldEnd(response, (failure) => {
      if (failure !== undefined) this.#outcome = failure === LEFT ? 'call_cancelled' : toGatewayError(failure).code;
      this.tell();
    });
  }

  tell(): void {
    const { clock, events } = this.#deps;
    events('mcp.answered', {
      caller: this.#caller,
      path: pathOf(this.#request.url),
      upstream: this.#upstream,
      method: this.#method,
      name: this.#name,
      outcome: this.#outcome,
      // microseconds say enough
      durationMs: Math.round((clock.monotonicMs() - this.#startedMs) * 1000) / 1000,
    });
  }
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}\u2026` : text);

/** Without query, where a secret may be; parsing a URL costs more than all the rest. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  const end = url.indexOf('?', start);
  return cut(url.slice(start, end < 0 ? undefined : end), MAX_PATH_LENGTH);
}
