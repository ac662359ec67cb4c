/** A stream that never pauses: a tool that counts aloud, and callers who write down what they hear. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { FixtureTool } from './mcp-fixture.ts';
import { openSocket } from './web-socket.ts';

const PAUSE_MS = 20;

export interface Ticker {
  /** For `ownTools` of an upstream, as `tick`. */
  readonly tool: FixtureTool;
  /** Has every call answer with the last number it said. */
  finish(): void;
}

export function startTicker(): Ticker {
  const finished = new AbortController();
  return {
    finish: () => finished.abort(),
    tool: {
      description: 'Reports progress until the test has it finish',
      properties: {},
      async run(_, ctx) {
        const progressToken = ctx.mcpReq._meta?.progressToken ?? '';
        let progress = 0;
        while (!finished.signal.aborted && !ctx.mcpReq.signal.aborted) {
          progress++;
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
          await setTimeout(PAUSE_MS);
        }
        return { content: [{ type: 'text', text: String(progress) }] };
      },
    },
  };
}

/** Whom to call, by `https:`, and with which certificate. */
export interface TickSource {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  /** As the gateway publishes it. */
  readonly tool: string;
}

/** One call that goes on. */
export interface TickStream {
  /** Every number so far. */
  readonly ticks: readonly number[];
  /** Resolves once so many more have come. */
  more(count: number): Promise<void>;
  /** The answer; undefined when the stream ended without. */
  readonly ended: Promise<string | undefined>;
  close(): void;
}

const callOf = (tool: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: tool, arguments: {}, _meta: { progressToken: 'ticks' } },
});
const headersOf = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
});

/** Streamable HTTP: the call's own SSE stream, over HTTP/1.1 and a connection of its own. */
export async function tickOverSse({ url, token, tool, ...tls }: TickSource): Promise<TickStream> {
  const options = { ...tls, method: 'POST', headers: headersOf(token), agent: false, family: 4 };
  const request = httpsRequest(`${url}/mcp`, options);
  request.end(JSON.stringify(callOf(tool)));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return listenTo(linesOf(response), () => void request.destroy());
}

/** The same over a connection with HTTP/2. */
export async function tickOverHttp2(
  source: TickSource,
): Promise<TickStream & { readonly session: ClientHttp2Session }> {
  const { url, token, tool, ...tls } = source;
  const session = connectHttp2(url, { ...tls, family: 4 } as object);
  session.on('error', () => undefined);
  await once(session, 'connect');
  const stream = session.request({ ':method': 'POST', ':path': '/mcp', ...headersOf(token) });
  stream.end(JSON.stringify(callOf(tool)));
  await once(stream, 'response');
  return Object.assign(await listenTo(linesOf(stream), () => session.destroy()), { session });
}

/** WebSocket. */
export async function tickOverWebSocket({ url, token, tool, ...tls }: TickSource): Promise<TickStream> {
  const headers = { authorization: `Bearer ${token}` };
  const client = await openSocket(`${url}/ws`, { ...tls, headers, family: 4 });
  client.say(callOf(tool));
  async function* messages() {
    const closed = client.closed.then(() => undefined);
    for (let next; (next = await Promise.race([client.next(), closed])) !== undefined;) yield JSON.stringify(next);
  }
  return listenTo(messages(), () => client.socket.terminate());
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data: {')) yield line.slice('data: '.length);
    }
  } catch {
    // a stream that is cut has ended
  }
}

async function listenTo(messages: AsyncIterable<string>, close: () => void): Promise<TickStream> {
  const ticks: number[] = [];
  const heard = new Set<() => void>();
  const ended = (async () => {
    for await (const text of messages) {
      const { params, result } = JSON.parse(text) as Ticked;
      if (result) return result.content[0]?.text;
      if (params?.progress === undefined) throw new Error(`no tick: ${text}`);
      ticks.push(params.progress);
      for (const tell of heard) tell();
    }
    return undefined;
  })();
  const more = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const wanted = ticks.length + count;
      const check = () => {
        if (ticks.length < wanted) return;
        heard.delete(check);
        resolve();
      };
      heard.add(check);
      void ended.then(
        () => reject(new Error(`the stream ended after ${ticks.length} ticks, before ${wanted}`)),
        reject,
      );
    });
  await more(1);
  return { ticks, more, ended, close };
}

interface Ticked {
  readonly params?: { readonly progress?: number };
  readonly result?: { readonly content: readonly { readonly text?: string }[] };
}
