import { encodeName } from '../../src/wire/headers.ts';
import { postMessage } from './mcp-client.ts';

export interface ModernAnswer {
  readonly status: number;
  /** Everything before the answer. */
  readonly notifications: readonly Message[];
  readonly answer: Message;
}

interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: ModernResult;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly code?: string } };
}

interface ModernResult {
  readonly resultType?: string;
  readonly inputRequests?: Readonly<Record<string, { readonly method: string; readonly params: unknown }>>;
  readonly requestState?: string;
  readonly content?: readonly { readonly text?: string }[];
}

export interface ModernCaller {
  /** One request, each under an id of its own; `meta` on top of the envelope. */
  ask(
    method: string,
    params?: Readonly<Record<string, unknown>>,
    meta?: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<ModernAnswer>;
}

const VERSION = '2026-07-28';

/** A client of the modern era that sees everything: questions are results here, and nothing is retried by itself. */
export function modernCaller(url: string, token: string, capabilities: object = {}): ModernCaller {
  let lastId = 0;
  return {
    async ask(method, params = {}, meta = {}, signal) {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': VERSION,
        'io.modelcontextprotocol/clientCapabilities': capabilities,
        ...meta,
      };
      const name = method === 'completion/complete' ? undefined : (params['name'] ?? params['uri']);
      const headers = {
        'mcp-protocol-version': VERSION,
        'mcp-method': method,
        ...(typeof name === 'string' && { 'mcp-name': encodeName(name) }),
      };
      const message = { jsonrpc: '2.0', id: `id-${++lastId}`, method, params: { ...params, _meta } };
      const response = await postMessage(url, token, message, headers, signal);
      const messages = messagesIn(await response.text());
      const answer = messages.pop();
      if (answer === undefined) throw new Error(`status ${response.status} without an answer`);
      return { status: response.status, notifications: messages, answer };
    },
  };
}

function messagesIn(text: string): Message[] {
  if (text.startsWith('{')) return [JSON.parse(text) as Message];
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice('data: '.length)) as Message] : []));
}

/** The text of a tool's first content item, or of the error. */
export const told = ({ answer }: ModernAnswer): string | undefined =>
  answer.result?.content?.[0]?.text ?? answer.error?.message;

/** The key of the only question in an answer, and the state to send back. */
export function asked({ answer: { result } }: ModernAnswer): { readonly key: string; readonly requestState: string } {
  const [key, ...more] = Object.keys(result?.inputRequests ?? {});
  if (result?.resultType !== 'input_required' || key === undefined || more.length > 0 || !result.requestState)
    throw new Error(`not one question: ${JSON.stringify(result)}`);
  return { key, requestState: result.requestState };
}
