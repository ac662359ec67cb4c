import type { Client } from '@modelcontextprotocol/client';
import type { Era } from '../../src/wire/eras.ts';
import { connectClient, postMessage } from './mcp-client.ts';

type Headers = Readonly<Record<string, string>>;

/** A gateway in another process, as an administrator meets it. */
export interface GatewayClient {
  /** A REST call. */
  api(
    method: string,
    path: string,
    body?: object,
    headers?: Headers,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Registers an upstream; fails loudly. */
  register(fields: object): Promise<void>;
  /** Opens the official client at `/mcp`, and closes it after `use`. */
  asClient<T>(era: Era, use: (client: Client) => Promise<T>): Promise<T>;
  /** One call of a tool as JSON-RPC, without a session; the text it answered, or all of the answer. */
  call(tool: string, args?: object, headers?: Headers): Promise<string>;
}

/** @param urlNow where it listens; another place once it was started anew */
export function gatewayClient(urlNow: () => string, token: string): GatewayClient {
  const api: GatewayClient['api'] = async (method, path, body, more = {}) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more };
    const answer = await fetch(urlNow() + path, { method, headers, body: body ? JSON.stringify(body) : null });
    const text = await answer.text();
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
  return {
    api,
    async register(fields) {
      const { status, body } = await api('POST', '/v1/gateways', fields);
      if (status !== 200) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
    },
    async asClient(era, use) {
      const client = await connectClient(`${urlNow()}/mcp`, token, era);
      try {
        return await use(client);
      } finally {
        await client.close();
      }
    },
    async call(name, args = {}, headers = {}) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const answer = await (await postMessage(`${urlNow()}/mcp`, token, message, headers)).text();
      return /"text":"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1] ?? answer;
    },
  };
}
