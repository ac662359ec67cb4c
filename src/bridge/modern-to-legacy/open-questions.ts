import { asFields, isFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import { ASKING } from '../asking-capabilities.ts';
import type { JsonRpcRequest, JsonRpcSuccess } from '../../wire/json-rpc.ts';

/** What a legacy server asked, as the modern era embeds it in a result. @see MCP 2026-07-28, SEP-2322 */
export function inputRequestOf({ method, params = {} }: JsonRpcRequest): Fields {
  // the token and the id belong to exchanges the modern era does not have
  const { _meta, elicitationId: _id, task: _task, ...rest } = params;
  const { progressToken: _token, ...meta } = asFields(_meta) ?? {};
  return { method, params: { ...rest, ...(Object.keys(meta).length > 0 && { _meta: meta }) } };
}

/** Questions of one call that wait for answers, by the keys its caller knows them by. */
export class OpenQuestions {
  readonly #open = new Map<string, JsonRpcRequest>();
  #askedCount = 0;

  get count(): number {
    return this.#open.size;
  }

  /** The questions as the modern era embeds them in a result. */
  get inputRequests(): Fields {
    return Object.fromEntries([...this.#open].map(([key, question]) => [key, inputRequestOf(question)]));
  }

  /** Adds a question, under a key no other of this call has had. */
  add(question: JsonRpcRequest): void {
    this.#open.set(`${ASKING.get(question.method) ?? 'question'}-${++this.#askedCount}`, question);
  }

  /** Forgets what the server no longer wants to know. */
  withdraw(id: unknown): void {
    for (const [key, question] of this.#open) if (question.id === id) this.#open.delete(key);
  }

  /** The answers to what is open, for the server; what is answered is no longer open. */
  answeredBy(inputResponses: Fields): readonly JsonRpcSuccess[] {
    return [...this.#open].flatMap(([key, { id }]) => {
      const result = responseTo(key, inputResponses);
      if (result) this.#open.delete(key);
      return result ? [{ jsonrpc: '2.0', id, result } as const] : [];
    });
  }
}

/** The answer among a caller's that fits a question; undefined when it is missing or no answer. */
export function responseTo(key: string, inputResponses: Fields): Fields | undefined {
  const response = Object.hasOwn(inputResponses, key) ? inputResponses[key] : undefined;
  return isFields(response) && !('method' in response) && !('result' in response) ? response : undefined;
}
