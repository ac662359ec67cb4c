import type { Clock } from '../../../base/clock.ts';
import { GatewayError } from '../../../base/errors.ts';
import { asFields } from '../../../base/fields.ts';
import { untilAborted } from '../../../upstream/deadline.ts';
import { LAST_EVENT_ID, PROTOCOL_VERSION, SESSION_ID } from '../../../wire/headers.ts';
import { isRequest } from '../../../wire/json-rpc.ts';
import { EVENTS_TYPE, POST_HEADERS } from '../../../wire/media-types.ts';
import type { JsonRpcMessage, JsonRpcRequest } from '../../../wire/json-rpc.ts';
import { responseIn, skip } from './pipe-answer.ts';
import type { PipeAnswer, TakeMessage } from './pipe-answer.ts';
import { modernHeadersOf } from './modern-headers.ts';
import { keepListening } from './keep-listening.ts';
import { listingFor, PipeTools } from './pipe-tools.ts';

/** One Streamable HTTP request of a pipe. */
export interface PipeRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  /** Lower-case names; what MCP needs. Credentials are the sender's business. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Sends one request; statuses of any kind are answers. @throws GatewayError when no answer came */
export type PipeSend = (request: PipeRequest) => Promise<PipeAnswer>;

export interface PipeSessionOptions {
  readonly send: PipeSend;
  readonly clock: Clock;
  /** Takes what the server says outside the answer to a request. */
  readonly take: TakeMessage;
  readonly onFailure: (error: GatewayError) => void;
}

/** What an initialize settled. */
interface Session {
  readonly id: string | undefined;
  readonly protocolVersion: string | undefined;
  readonly request: JsonRpcRequest;
}

const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
/** How long a server gets to take the end of a session. */
const FAREWELL_MS = 1_000;
/** Of a listing of the pipe's own. */
const MAX_PAGES = 100;

/** Sends the messages of one client as Streamable HTTP asks for, and keeps the legacy session they belong to. */
export class PipeSession {
  readonly #options: PipeSessionOptions;
  readonly #lifetime = new AbortController();
  readonly #tools = new PipeTools();
  #session: Session | undefined;
  #renewing: Promise<void> | undefined;
  #listening = new AbortController();

  constructor(options: PipeSessionOptions) {
    this.#options = options;
  }

  /** Whether a legacy session was agreed on. */
  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Posts a message; one for a session the server lost is posted again in a new one. */
  async post(message: JsonRpcMessage, text: string, signal: AbortSignal): Promise<PipeAnswer> {
    const modern = modernHeadersOf(message);
    if (modern)
      return this.#post(text, { ...modern, ...(isRequest(message) && this.#tools.headersOf(message)) }, signal);
    if ('method' in message && message.method === 'initialize') return this.#post(text, {}, signal);
    const session = this.#session;
    const answer = await this.#post(text, headersOf(session), signal);
    if (answer.status !== 404 || session?.id === undefined) return answer;
    // 404 means that the server lost the session and did not look at the message (MCP 2025-11-25, transports)
    await skip(answer);
    await untilAborted(this.#renewed(session), signal);
    return this.#post(text, headersOf(this.#session), signal);
  }

  /** The rest of the answer to a legacy request whose stream broke. */
  resume(lastEventId: string, signal: AbortSignal): Promise<PipeAnswer> {
    return this.#get(lastEventId, signal);
  }

  /** Takes up what the answer to a request says of the server, before the client has it. */
  async heed(request: JsonRpcRequest, headers: PipeAnswer['headers'], answer: JsonRpcMessage): Promise<void> {
    if (!('result' in answer)) return;
    if (request.method === 'tools/list') this.#tools.learn(answer.result);
    if (request.method === 'initialize') await this.#open(sessionIn(request, headers, answer));
  }

  /** Lists the tools for whoever sent `call`, to learn which headers calls need. */
  async learnTools(call: JsonRpcRequest, signal: AbortSignal): Promise<void> {
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const listing = listingFor(call, cursor);
      const answer = await this.post(listing, JSON.stringify(listing), signal);
      const response = await responseIn(answer, signal, () => Promise.resolve());
      cursor = 'result' in response ? this.#tools.learn(response.result) : undefined;
      if (cursor === undefined) return;
    }
  }

  /** The session before it is ended. */
  async #open(session: Session | undefined): Promise<void> {
    const replaced = this.#session;
    this.#session = session;
    this.stopListening();
    if (replaced) await this.#end(replaced);
  }

  /** Follows what the server says unasked, until the session ends. */
  listen(): void {
    if (this.#lifetime.signal.aborted) return;
    const { clock, take, onFailure } = this.#options;
    this.stopListening();
    const { signal } = (this.#listening = new AbortController());
    void keepListening({
      clock,
      signal,
      take,
      onFailure,
      open: (lastEventId) => this.#get(lastEventId, signal),
      renew: async () => {
        if (this.#session?.id === undefined) return false;
        await untilAborted(this.#renewed(this.#session), signal);
        return true;
      },
    });
  }

  stopListening(): void {
    this.#listening.abort();
  }

  /** Ends the session at the server, as far as it can be reached. Never rejects. */
  async close(): Promise<void> {
    this.#lifetime.abort();
    this.stopListening();
    if (this.#session) await this.#end(this.#session);
    this.#session = undefined;
  }

  #post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PipeAnswer> {
    return this.#options.send({ method: 'POST', headers: { ...POST_HEADERS, ...headers }, body, signal });
  }

  #get(lastEventId: string | undefined, signal: AbortSignal): Promise<PipeAnswer> {
    const headers = {
      accept: EVENTS_TYPE,
      ...headersOf(this.#session),
      ...(lastEventId !== undefined && { [LAST_EVENT_ID]: lastEventId }),
    };
    return this.#options.send({ method: 'GET', headers, signal });
  }

  async #end(session: Session): Promise<void> {
    if (session.id === undefined) return;
    const late = new AbortController();
    const cancel = this.#options.clock.after(FAREWELL_MS, () => late.abort());
    const farewell = this.#options.send({ method: 'DELETE', headers: headersOf(session), signal: late.signal });
    // a server that cannot be told forgets the session by itself
    await untilAborted(farewell.then(skip), late.signal).catch(() => undefined);
    cancel();
  }

  /** One renewal at a time; who comes after it finds the new session. */
  #renewed(lost: Session): Promise<void> {
    if (this.#session !== lost) return Promise.resolve();
    return (this.#renewing ??= this.#renew(lost).finally(() => (this.#renewing = undefined)));
  }

  async #renew({ request }: Session): Promise<void> {
    const { signal } = this.#lifetime;
    const answer = await this.#post(JSON.stringify(request), {}, signal);
    const session = sessionIn(request, answer.headers, await responseIn(answer, signal, this.#options.take));
    if (session === undefined)
      throw new GatewayError('upstream_session_lost', 'the server lost the session and refused to open it again');
    await skip(await this.#post(INITIALIZED, headersOf(session), signal));
    this.#session = session;
  }
}

/** What the answer to an initialize settled; undefined where it was refused. */
function sessionIn(
  request: JsonRpcRequest,
  headers: PipeAnswer['headers'],
  answer: JsonRpcMessage,
): Session | undefined {
  if (!('result' in answer)) return undefined;
  const version = asFields(answer.result)?.['protocolVersion'];
  return { id: headers[SESSION_ID], protocolVersion: typeof version === 'string' ? version : undefined, request };
}

function headersOf(session: Session | undefined): Readonly<Record<string, string>> {
  return {
    ...(session?.id !== undefined && { [SESSION_ID]: session.id }),
    ...(session?.protocolVersion !== undefined && { [PROTOCOL_VERSION]: session.protocolVersion }),
  };
}
