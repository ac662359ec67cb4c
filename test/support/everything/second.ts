/** A small second upstream: one of its tools has the name of a tool of the everything server. */
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { text } from './media.ts';
import { serveFetch } from './serve-fetch.ts';
import type { FetchServer } from './serve-fetch.ts';

/** What its `test_simple_text` answers, so that a call that went astray shows. */
export const SECOND_TEXT = 'from the second server';

function build(): McpServer {
  const server = new McpServer({ name: 'second', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Answers with its text', inputSchema: z.object({ text: z.string() }) },
    (args) => text(args.text),
  );
  server.registerTool('test_simple_text', { description: 'Has the name of another tool' }, () => text(SECOND_TEXT));
  server.registerPrompt('hi', { description: 'Greets' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
  }));
  server.registerResource('note', 'second://note', { mimeType: 'text/plain' }, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'text/plain', text: 'a note' }],
  }));
  return server;
}

/** Starts it on a free port; it serves both eras, the legacy one without sessions. */
export async function startSecond(): Promise<FetchServer> {
  const handler = createMcpHandler(build);
  const server = await serveFetch((request) => handler.fetch(request));
  return {
    ...server,
    async close() {
      await handler.close();
      await server.close();
    },
  };
}
