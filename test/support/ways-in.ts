/** Every way a client reaches an MCP address of a gateway, as one question at a time. */
import { encodeName } from '../../src/wire/headers.ts';
import { postMessage } from './mcp-client.ts';
import { ENVELOPE, initialize, notify } from './scripted-server.ts';
import { openSocket } from './web-socket.ts';

export interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly code?: string } };
}

export interface WayIn {
  ask(method: string, params?: object): Promise<Answer>;
  close(): void;
}

/** @param path of the server, without `/mcp` at its end */
export type OpenWay = (url: string, path: string, token: string) => Promise<WayIn>;

interface Told extends Answer {
  readonly id?: unknown;
}

const messagesIn = (text: string): Told[] =>
  text.startsWith('{')
    ? [JSON.parse(text) as Told]
    : [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Told);

async function answerTo(response: Response): Promise<Answer> {
  return messagesIn(await response.text()).at(-1) ?? {};
}

const request = (id: number, method: string, params: object = {}) => ({ jsonrpc: '2.0', id, method, params });

const stateless: OpenWay = async (url, path, token) => ({
  ask: async (method, params) => answerTo(await postMessage(`${url}${path}/mcp`, token, request(1, method, params))),
  close: () => undefined,
});

/** The headers of a legacy session of its own. */
export async function openSession(address: string, token: string): Promise<Readonly<Record<string, string>>> {
  const opened = await postMessage(address, token, initialize);
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  await (await postMessage(address, token, notify('notifications/initialized'), session)).text();
  return session;
}

const session: OpenWay = async (url, path, token) => {
  const address = `${url}${path}/mcp`;
  const headers = await openSession(address, token);
  return {
    ask: async (method, params) => answerTo(await postMessage(address, token, request(1, method, params), headers)),
    close: () => undefined,
  };
};

const modern: OpenWay = async (url, path, token) => ({
  async ask(method, params = {}) {
    const { name, uri } = params as { name?: string; uri?: string };
    const named = method === 'completion/complete' ? undefined : (name ?? uri);
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(named !== undefined && { 'mcp-name': encodeName(named) }),
    };
    const message = request(1, method, { ...params, _meta: ENVELOPE });
    return answerTo(await postMessage(`${url}${path}/mcp`, token, message, headers));
  },
  close: () => undefined,
});

const socketOf =
  (meta: object, opening: readonly object[]): OpenWay =>
  async (url, path, token) => {
    const client = await openSocket(`${url}${path}/ws`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const answered = async (id: unknown): Promise<Answer> => {
      for (;;) {
        const message = (await client.next()) as Told;
        if (message.id === id && ('result' in message || 'error' in message)) return message;
      }
    };
    for (const message of opening) {
      client.say(message);
      if ('id' in message) await answered(message.id);
    }
    let id = 100;
    return {
      ask: (method, params) => {
        client.say(request(++id, method, { ...params, ...meta }));
        return answered(id);
      },
      close: () => client.socket.close(),
    };
  };

const sse: OpenWay = async (url, path, token) => {
  const left = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const { body } = await fetch(`${url}${path}/sse`, { headers, signal: left.signal });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = async <T>(find: (text: string) => T | undefined): Promise<T> => {
    for (;;) {
      const found = find(text);
      if (found !== undefined) return found;
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error('the stream ended');
      text += value;
    }
  };
  const endpoint = await read((seen) => /^event: endpoint\ndata: (\S+)\n\n/m.exec(seen)?.[1]);
  const ask = async (message: { readonly id: unknown }): Promise<Answer> => {
    await (await postMessage(url + endpoint, token, message)).text();
    return read((seen) => {
      const whole = seen.slice(0, seen.lastIndexOf('\n\n') + 1);
      return messagesIn(`\n${whole}`).find((told) => told.id === message.id && !('method' in told));
    });
  };
  await ask(initialize);
  await (await postMessage(url + endpoint, token, notify('notifications/initialized'))).text();
  let id = 100;
  return { ask: (method, params) => ask(request(++id, method, params)), close: () => left.abort() };
};

/** By name; the SSE and WebSocket ones speak the legacy era unless they say otherwise. */
export const WAYS: Readonly<Record<string, OpenWay>> = {
  stateless,
  session,
  modern,
  sse,
  websocket: socketOf({}, [initialize, notify('notifications/initialized')]),
  'modern websocket': socketOf({ _meta: ENVELOPE }, []),
};
