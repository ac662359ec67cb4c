/** A server for many calls while certificates rotate: it counts each call, and has slow ones and streams. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { startPlainMcpServer } from './plain-mcp-server.ts';
import type { PlainMcpServer } from './plain-mcp-server.ts';

export interface RotatingServer extends PlainMcpServer {
  /** Texts of calls that came more than once. */
  readonly duplicates: ReadonlySet<string>;
  /** How many calls came. */
  readonly callCount: number;
  /** Forgets which calls came. */
  forget(): void;
  /** Sends an event on every open stream. */
  tick(): void;
  /** Ends every open stream with its result. */
  endStreams(): void;
}

const SLOW_MS = 3_000;
const FILLER = 'x'.repeat(500);

/**
 * Calls whose text begins with `slow` answer after 3 s; those with `stream` open an event stream of progress and end
 * with the SHA-256 of every message on it.
 */
export async function startRotatingServer(tls: ServerOptions): Promise<RotatingServer> {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  const streams = new Map<
    ServerResponse,
    { id: number | string; hash: ReturnType<typeof createHash>; count: number }
  >();
  const server = await startPlainMcpServer(tls, ({ id, text }, response) => {
    if (seen.has(text)) duplicates.add(text);
    seen.add(text);
    if (text.startsWith('slow')) {
      setTimeout(() => response.writeHead(200, JSON_TYPE).end(JSON.stringify(resultOf(id, text))), SLOW_MS);
      return true;
    }
    if (!text.startsWith('stream')) return false;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    streams.set(response, { id, hash: createHash('sha256'), count: 0 });
    return true;
  });
  return Object.defineProperties(
    {
      forget: () => seen.clear(),
      tick: () => {
        for (const [response, stream] of streams) {
          const message = `${stream.count++} ${FILLER}`;
          stream.hash.update(message);
          const params = { progressToken: stream.id, progress: stream.count, message };
          response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`);
        }
      },
      endStreams: () => {
        for (const [response, { id, hash }] of streams)
          response.end(`data: ${JSON.stringify(resultOf(id, hash.digest('hex')))}\n\n`);
        streams.clear();
      },
    } as RotatingServer,
    {
      ...Object.getOwnPropertyDescriptors(server),
      duplicates: { get: () => duplicates },
      callCount: { get: () => seen.size },
    },
  );
}

const JSON_TYPE = { 'content-type': 'application/json' };
const resultOf = (id: number | string, text: string) => ({
  jsonrpc: '2.0',
  id,
  result: { resultType: 'complete', content: [{ type: 'text', text }] },
});

/** Reads a stream to its end; whether what came on it is what was sent. */
export async function isWhole(answer: Response): Promise<boolean> {
  const hash = createHash('sha256');
  const text = await answer.text();
  for (const [, data = ''] of text.matchAll(/^data: (\{.*\})\r?$/gm)) {
    const message = JSON.parse(data) as {
      params?: { message: string };
      result?: { content: readonly { text: string }[] };
    };
    if (message.params) hash.update(message.params.message);
    else if (message.result) return message.result.content[0]?.text === hash.digest('hex');
  }
  return false;
}
