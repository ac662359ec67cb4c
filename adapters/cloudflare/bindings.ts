/** The few interfaces of Workers that are used here. */

/** What a Worker is given by name: texts, and objects of the platform. */
export type Env = Readonly<Record<string, unknown>>;

/** Sends requests its own way: an `mtls_certificates` binding with its certificate, another Worker to itself. */
export interface Fetcher {
  fetch(input: string | Request, init?: RequestInit): Promise<Response>;
}

/** A `d1_databases` binding. */
export interface D1Database {
  prepare(sql: string): D1Statement;
  /** One transaction: all statements or none. */
  batch(statements: readonly D1Statement[]): Promise<unknown>;
}

/** A prepared statement of D1. */
export interface D1Statement {
  bind(...values: readonly string[]): D1Statement;
  /** The column of the first row; null where there is no row. */
  first(column: string): Promise<unknown>;
  all(): Promise<{ readonly results: readonly Readonly<Record<string, unknown>>[] }>;
}

/** A `kv_namespaces` binding. */
export interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { readonly prefix: string; readonly cursor?: string }): Promise<KvPage>;
}

/** Some of the keys; `cursor` leads to the next ones. */
export interface KvPage {
  readonly keys: readonly { readonly name: string }[];
  readonly list_complete: boolean;
  readonly cursor?: string;
}

/** A binding of a class of Durable Objects. */
export interface DurableObjectNamespace {
  getByName(name: string): Fetcher;
}

/** What a Durable Object is given of itself. */
export interface DurableObjectState {
  readonly id: { readonly name?: string };
  waitUntil(work: Promise<unknown>): void;
}

/** Our end of a WebSocket. */
export interface ServerSocket extends WebSocket {
  accept(): void;
}

/** A WebSocket of the platform; the first end is for the answer. */
export type SocketPair = new () => { readonly 0: WebSocket; readonly 1: ServerSocket };

/** The names of bindings that send requests. */
export function fetchersIn(env: Env): ReadonlyMap<string, Fetcher> {
  return new Map(Object.entries(env).filter((entry): entry is [string, Fetcher] => hasMethods(entry[1], ['fetch'])));
}

/** The D1 database of a name; undefined where something else is bound there, or nothing. */
export function databaseIn(env: Env, name: string): D1Database | undefined {
  const binding = bindingOf(env, name);
  // what can do this is one
  return hasMethods(binding, ['prepare', 'batch']) ? (binding as D1Database) : undefined;
}

/** The KV namespace of a name; undefined where something else is bound there, or nothing. */
export function namespaceIn(env: Env, name: string): KvNamespace | undefined {
  const binding = bindingOf(env, name);
  // what can do this is one
  return hasMethods(binding, ['get', 'put', 'delete', 'list']) ? (binding as KvNamespace) : undefined;
}

const bindingOf = (env: Env, name: string): unknown => (Object.hasOwn(env, name) ? env[name] : undefined);

function hasMethods(value: unknown, methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
}
