import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { JsonRpcRequest, JsonRpcSuccess } from '../wire/json-rpc.ts';

/** What a server may ask its client, and the capability a client declares to be asked. */
const ASKING: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
]);

/** Finer capabilities that mean the same in both eras. */
const MODES: Readonly<Record<string, readonly string[]>> = {
  elicitation: ['form', 'url'],
  sampling: ['context', 'tools'],
  roots: [],
};

/**
 * The declared capabilities by which a legacy server may ask something, in a fixed order and without anything else:
 * callers that may be asked the same have equal ones.
 */
export function askingCapabilities(declared: unknown): Fields {
  const capabilities = asFields(declared) ?? {};
  const asking = Object.entries(MODES).flatMap(([name, modes]) => {
    const capability = asFields(capabilities[name]);
    return capability === undefined ? [] : [[name, pick(capability, modes)] as const];
  });
  return Object.fromEntries(asking);
}

const pick = (capability: Fields, modes: readonly string[]): Fields =>
  Object.fromEntries(modes.flatMap((mode) => (isFields(capability[mode]) ? [[mode, {}] as const] : [])));

/** Whether a client with these capabilities may be asked this. */
export function mayBeAsked(capabilities: Fields, { method, params }: JsonRpcRequest): boolean {
  const name = ASKING.get(method);
  const capability = name === undefined ? undefined : asFields(capabilities[name]);
  if (capability === undefined) return false;
  return params?.['mode'] !== 'url' || capability['url'] !== undefined;
}

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
