/**
 * An MCP server on standard streams, on the official SDK, for tests to start as a child process:
 * `node stdio-server.ts [dual|legacy|modern] [more arguments]`.
 */
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { buildFixture } from './mcp-fixture.ts';
import type { FixtureState, FixtureTool } from './mcp-fixture.ts';

const [era = 'dual'] = process.argv.slice(2);

const state: FixtureState = { held: new Map(), onHeld: () => {}, changed: false, onToolsChanged: () => {} };

const json = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });
const tool = (description: string, run: FixtureTool['run']): FixtureTool => ({ description, properties: {}, run });

const ownTools = {
  process: tool('Tells of this process', () =>
    json({ pid: process.pid, argv: process.argv.slice(2), env: process.env, cwd: process.cwd() }),
  ),
  held: tool('How many calls of `hold` wait', () => json(state.held.size)),
  crash: tool('Says what it knows and ends without answering', () => {
    process.stderr.write(`about to fail\n${JSON.stringify(process.env)}\n`, () => process.exit(3));
    return new Promise(() => {});
  }),
  noise: tool('Writes what is no message, then answers', () => {
    process.stdout.write('Starting up...\n{"jsonrpc":"2.0"}\n[]\n\u0000\u0001\n{"half":\n');
    return json('quiet again');
  }),
  deafen: tool('Reads nothing more', () => {
    process.stdin.pause();
    return json('deaf');
  }),
};

const build = () => {
  const server = buildFixture({ name: 'stdio', ownTools }, state);
  state.onToolsChanged = () => void server.sendToolListChanged();
  return server;
};

if (era === 'legacy') await build().connect(new StdioServerTransport());
else serveStdio(build, { legacy: era === 'modern' ? 'reject' : 'serve' });
