/** Many `tools/call` requests at once, by the ways callers take through a gateway. */
import { Pool } from 'undici';
import { PROTOCOL_VERSION, SESSION_ID } from '../../src/wire/headers.ts';

/** One way to call a tool: an address, its headers and what each call carries beside its text. */
export interface CallRoute {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tool: string;
  readonly meta?: object;
}

/** Callers with a keep-alive connection each. */
export interface Callers {
  /** Calls once; the text the tool answered with. Anything but a result is an error. */
  call(route: CallRoute, text: string): Promise<string>;
  /** A legacy session at `path`. */
  session(path: string, tool: string): Promise<CallRoute>;
  close(): Promise<void>;
}

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A legacy call that opens no session. */
export const bare = (path: string, tool: string): CallRoute => ({ path, tool, headers: {} });

/** A call of the era without sessions. */
export const modern = (path: string, tool: string): CallRoute => ({
  path,
  tool,
  headers: { [PROTOCOL_VERSION]: '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool },
  meta: ENVELOPE,
});

/** @param count how many call at the same time */
export function openCallers(origin: string, token: string, count: number): Callers {
  const pool = new Pool(origin, { connections: count, pipelining: 1 });
  let lastId = 0;
  const post = async (path: string, headers: object, message: object) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++lastId, ...message });
    const authorization = `Bearer ${token}`;
    const answer = await pool.request({
      method: 'POST',
      path,
      headers: { ...JSON_HEADERS, authorization, ...headers },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${text}`);
    return { text, headers: answer.headers };
  };
  return {
    async call({ path, headers, tool, meta }, text) {
      const params = { name: tool, arguments: { text }, ...(meta && { _meta: meta }) };
      const answer = (await post(path, headers, { method: 'tools/call', params })).text;
      const data = answer.startsWith('{') ? answer : (/^data: (\{.*"result".*)$/m.exec(answer)?.[1] ?? answer);
      const message = JSON.parse(data) as { result?: { content?: { text?: string }[] } };
      const answered = message.result?.content?.[0]?.text;
      if (answered === undefined) throw new Error(`no result: ${answer}`);
      return answered;
    },
    async session(path, tool) {
      const clientInfo = { name: 'caller', version: '1.0.0' };
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
      const { headers } = await post(path, {}, { method: 'initialize', params });
      const id = String(headers[SESSION_ID]);
      return { path, tool, headers: { [PROTOCOL_VERSION]: '2025-11-25', [SESSION_ID]: id } };
    },
    close: () => pool.close(),
  };
}

/** Runs `task` for 0 up to `total`, at most `concurrency` at a time. */
export async function inParallel(
  total: number,
  concurrency: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < total) await task(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
