/**
 * D1 and Workers KV on this machine: workerd has their clients and SQLite, but nothing that answers them. A Worker of
 * its own, behind bindings of the Worker under test; one Durable Object for each database and namespace.
 */

interface SqlCursor {
  readonly columnNames: readonly string[];
  raw(): Iterable<readonly unknown[]>;
}

interface State {
  readonly storage: {
    readonly sql: { exec(sql: string, ...values: readonly unknown[]): SqlCursor };
    transactionSync<T>(work: () => T): T;
  };
}

interface Query {
  readonly sql: string;
  readonly params?: readonly unknown[] | null;
}

interface Env {
  readonly STORES: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

/** The clients in workerd address each product by a host name of its own. */
const isD1 = ({ url }: Request): boolean => new URL(url).hostname === 'd1';

/** One SQLite database. */
export class LocalStore {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
    state.storage.sql.exec('CREATE TABLE IF NOT EXISTS local_kv (key TEXT PRIMARY KEY, value BLOB NOT NULL)');
  }

  async fetch(request: Request): Promise<Response> {
    return isD1(request)
      ? this.#answerD1((await request.json()) as Query | readonly Query[])
      : this.#answerKv(request, new URL(request.url));
  }

  #answerD1(body: Query | readonly Query[]): Response {
    const queries = [body].flat() as readonly Query[];
    try {
      return Response.json(this.#state.storage.transactionSync(() => queries.map((query) => this.#run(query))));
    } catch (error) {
      return Response.json({ success: false, error: (error as Error).message });
    }
  }

  #run({ sql, params }: Query): object {
    const cursor = this.#state.storage.sql.exec(sql, ...(params ?? []));
    const results = { columns: cursor.columnNames, rows: [...cursor.raw()] };
    return { success: true, results, meta: { duration: 0, changes: 0, rows_read: 0, rows_written: 0 } };
  }

  async #answerKv(request: Request, { pathname, searchParams }: URL): Promise<Response> {
    const { sql } = this.#state.storage;
    const key = decodeURIComponent(pathname.slice(1));
    if (request.method === 'PUT') {
      const sent = 'INSERT INTO local_kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
      sql.exec(sent, key, await request.arrayBuffer());
      return new Response(null);
    }
    if (request.method === 'DELETE') {
      sql.exec('DELETE FROM local_kv WHERE key = ?', key);
      return new Response(null);
    }
    if (key !== '') {
      const [row] = [...sql.exec('SELECT value FROM local_kv WHERE key = ?', key).raw()];
      return row ? new Response(row[0] as ArrayBuffer) : new Response(null, { status: 404 });
    }
    const prefix = searchParams.get('prefix') ?? '';
    const listed = 'SELECT key FROM local_kv WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key';
    const keys = [...sql.exec(listed, prefix).raw()].map(([name]) => ({ name }));
    return Response.json({ keys, list_complete: true });
  }
}

export default {
  fetch: (request: Request, { STORES }: Env) => STORES.getByName(isD1(request) ? 'd1' : 'kv').fetch(request),
};
