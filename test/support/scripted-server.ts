/** A Streamable HTTP server that does what a test says, as a pipe sees it, and a client on the pipe's other end. */
import type { Clock } from '../../src/base/clock.ts';
import type { GatewayError } from '../../src/base/errors.ts';
import type { PipeAnswer } from '../../src/http/mcp/pipe/pipe-answer.ts';
import type { PipeRequest, PipeSend } from '../../src/http/mcp/pipe/pipe-session.ts';
import { MessagePipe } from '../../src/http/mcp/pipe/message-pipe.ts';
import { textResponse } from '../../src/upstream/ready-response.ts';

export interface Asked extends PipeRequest {
  /** The body, parsed; an empty object for none. */
  readonly message: { readonly id?: string | number; readonly method?: string; readonly params?: unknown };
}

export interface ScriptedServer {
  /** Every request so far. */
  readonly asked: Asked[];
  /** The requests with this JSON-RPC method, or with this HTTP method. */
  askedFor(method: string): Asked[];
  readonly send: PipeSend;
}

/** @param answer what each request is answered with; undefined is 202 for what has no id, and never for the rest */
export function scriptServer(
  answer: (asked: Asked) => PipeAnswer | Promise<PipeAnswer> | undefined = () => undefined,
): ScriptedServer {
  const asked: Asked[] = [];
  const never = (signal: AbortSignal) =>
    new Promise<PipeAnswer>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  return {
    asked,
    askedFor: (method) => asked.filter((request) => (request.message.method ?? request.method) === method),
    send: async (request) => {
      const message = request.body === undefined ? {} : (JSON.parse(request.body) as Asked['message']);
      const seen = { ...request, message };
      asked.push(seen);
      const scripted = answer(seen);
      if (scripted) return scripted;
      if (request.method === 'GET') return textResponse(405, '');
      return message.method !== undefined && message.id !== undefined ? never(request.signal) : textResponse(202, '');
    },
  };
}

/** An answer with one JSON body. */
export const jsonAnswer = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): PipeAnswer =>
  textResponse(status, typeof body === 'string' ? body : JSON.stringify(body), {
    'content-type': 'application/json',
    ...headers,
  });

export const resultFor = ({ message }: Asked, result: unknown = {}): object => ({
  jsonrpc: '2.0',
  id: message.id,
  result,
});

/** What a server with sessions answers to an initialize. */
export const initialized = (asked: Asked, sessionId: string): PipeAnswer =>
  jsonAnswer(resultFor(asked, { protocolVersion: '2025-11-25', capabilities: {} }), 200, {
    'mcp-session-id': sessionId,
  });

export interface ScriptedStream {
  readonly answer: PipeAnswer;
  /** Sends one event; an object as JSON. */
  emit(data: unknown, id?: string): void;
  /** Sends text as it is. */
  write(text: string): void;
  end(): void;
  fail(error: GatewayError): void;
  /** Whether the reader closed it. */
  readonly isCancelled: boolean;
}

/** An answer that is an event stream. */
export function streamAnswer(): ScriptedStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (started) => void (controller = started),
    cancel: () => void (isCancelled = true),
  });
  const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text));
  return {
    answer: { ...textResponse(200, ''), headers: { 'content-type': 'text/event-stream' }, stream: () => stream },
    emit: (data, id) =>
      write(
        `${id === undefined ? '' : `id: ${id}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
      ),
    write,
    end: () => controller?.close(),
    fail: (error) => controller?.error(error),
    get isCancelled() {
      return isCancelled;
    },
  };
}

export interface PipedMessage {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data: { readonly code: string } };
}

export interface PipeClient {
  readonly pipe: MessagePipe;
  /** Everything delivered so far. */
  readonly received: PipedMessage[];
  readonly texts: string[];
  /** What the pipe reported as failures. */
  readonly failures: GatewayError[];
  /** Hands the pipe a message; an object as JSON. */
  say(message: unknown): Promise<void>;
}

/** A pipe to a server, and what came out of it. */
export function openPipe(
  { send }: Pick<ScriptedServer, 'send'>,
  clock: Clock,
  onText: (text: string) => Promise<void> = () => Promise.resolve(),
): PipeClient {
  const texts: string[] = [];
  const failures: GatewayError[] = [];
  const pipe = new MessagePipe({
    send,
    clock,
    onFailure: (error) => void failures.push(error),
    deliver: (text) => {
      texts.push(text);
      return onText(text);
    },
  });
  return {
    pipe,
    texts,
    failures,
    get received() {
      return texts.map((text) => JSON.parse(text) as PipedMessage);
    },
    say: (message) => pipe.take(typeof message === 'string' ? message : JSON.stringify(message)),
  };
}

/** Messages as clients send them. */
export const call = (id: string | number, name = 'echo') => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
export const notify = (method: string, params?: object) => ({ jsonrpc: '2.0', method, ...(params && { params }) });
export const initialize = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
export const modernCall = (id: string | number, name = 'echo') => ({
  ...call(id),
  params: { name, _meta: ENVELOPE },
});
