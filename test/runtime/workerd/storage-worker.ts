/** The stores of Workers behind HTTP, so that the storage contract can be run on them: each object one connection. */
import type { Env, Fetcher } from '../../../adapters/cloudflare/bindings.ts';
import { openStorage } from '../../../adapters/cloudflare/storage/open-storage.ts';
import { Secret, toGatewayError } from '../../../src/index.ts';
import type { Change, StorageDriver } from '../../../src/index.ts';

/** What is asked of a store. */
export type StoreRequest =
  | { readonly ask: 'getItem'; readonly key: string }
  | { readonly ask: 'getKeys'; readonly base: string }
  | { readonly ask: 'commit'; readonly changes: readonly Change[] }
  /** All at the same moment. */
  | { readonly ask: 'commits'; readonly commits: readonly (readonly Change[])[] };

/** Under the name the configuration of the Worker has for its gateways. */
export class PosternGateway {
  readonly #env: Env;
  readonly #open = new Map<string, Promise<StorageDriver>>();

  constructor(_: unknown, env: Env) {
    this.#env = env;
  }

  async fetch(request: Request): Promise<Response> {
    const store = new URL(request.url).searchParams.get('store') ?? '';
    const asked = (await request.json()) as StoreRequest;
    try {
      let opened = this.#open.get(store);
      if (opened === undefined) this.#open.set(store, (opened = openStorage(new Secret(store), this.#env)));
      return Response.json({ answer: await answerOf(await opened, asked) });
    } catch (error) {
      const { code, message } = toGatewayError(error);
      return Response.json({ code, message });
    }
  }
}

async function answerOf(storage: StorageDriver, asked: StoreRequest): Promise<unknown> {
  switch (asked.ask) {
    case 'getItem':
      return storage.driver.getItem(asked.key);
    case 'getKeys':
      return storage.driver.getKeys(asked.base, {});
    case 'commit':
      return storage.commit(asked.changes);
    case 'commits':
      return Promise.all(asked.commits.map((changes) => storage.commit(changes)));
  }
}

interface Namespaces {
  readonly GATEWAY: { getByName(name: string): Fetcher };
}

export default {
  fetch: (request: Request, { GATEWAY }: Namespaces) =>
    GATEWAY.getByName(new URL(request.url).searchParams.get('connection') ?? '').fetch(request),
};
