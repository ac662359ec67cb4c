/** The load generator, in its own process: a fixed number of calls, a fixed number of them at a time. */
import { Pool } from 'undici';

/** Where the calls go and how; sent before the first run. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Sent once before the first call, as every client of the legacy era does; calls carry the session it opens. */
  readonly initialize?: Readonly<Record<string, unknown>>;
}

export interface Order {
  readonly target: Target;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly calls: number;
  readonly concurrency: number;
}

export interface Outcome {
  /** The first answer's result, for comparing subjects. */
  readonly result: unknown;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const pools = new Map<string, Pool>();

function poolFor({ name, url, tls }: Target, concurrency: number): Pool {
  const key = `${name} ${concurrency}`;
  let pool = pools.get(key);
  if (!pool) {
    pool = new Pool(new URL(url).origin, { connections: concurrency, allowH2: false, ...(tls && { connect: tls }) });
    pools.set(key, pool);
  }
  return pool;
}

const sessions = new Map<string, Readonly<Record<string, string>>>();

/** The header of the caller's session; none where the subject keeps none. */
async function sessionOf({ name, url, headers, initialize }: Target, pool: Pool) {
  const known = sessions.get(name);
  if (known || !initialize) return known ?? {};
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'initialize', method: 'initialize', params: initialize });
  const answer = await pool.request({ path: new URL(url).pathname, method: 'POST', headers, body });
  await answer.body.text();
  const id = answer.headers['mcp-session-id'];
  const session: Record<string, string> = typeof id === 'string' ? { 'mcp-session-id': id } : {};
  sessions.set(name, session);
  return session;
}

function parseAnswer(type: string, text: string): { result?: unknown; error?: unknown } {
  const json = type.startsWith('text/event-stream') ? /^data: ?(\{.*)$/m.exec(text)?.[1] : text;
  return JSON.parse(json ?? '{}') as { result?: unknown };
}

async function run({ target, method, params, calls, concurrency }: Order): Promise<Outcome> {
  const pool = poolFor(target, concurrency);
  const { pathname } = new URL(target.url);
  const headers = { ...target.headers, ...(await sessionOf(target, pool)) };
  const latencies = new Float64Array(calls);
  let result: unknown;
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let id = next++; id < calls; id = next++) {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
      const startedMs = performance.now();
      const answer = await pool.request({ path: pathname, method: 'POST', headers, body });
      const text = await answer.body.text();
      latencies[id] = performance.now() - startedMs;
      const parsed = parseAnswer(String(answer.headers['content-type']), text);
      if (answer.statusCode !== 200 || parsed.result === undefined)
        throw new Error(`${target.name} answered ${answer.statusCode}: ${text.slice(0, 200)}`);
      if (id === 0) result = parsed.result;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  const seconds = (performance.now() - startedMs) / 1000;
  latencies.sort();
  const at = (share: number): number => latencies[Math.min(calls - 1, Math.floor(calls * share))] ?? 0;
  return { result, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

process.on('message', (order: Order) => {
  run(order).then(
    (outcome) => process.send?.({ outcome }),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.once('disconnect', () => process.exit());
