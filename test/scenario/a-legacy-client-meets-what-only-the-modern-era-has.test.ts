/** Arguments in headers, output that is no object: what legacy clients never heard of. */
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/v4';
import { serveFetch } from '../support/everything/serve-fetch.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, connectClientV1, textOf } from '../support/mcp-client.ts';

/** Which arguments the server wants repeated in headers, as of now. */
let marks: Readonly<Record<string, string>> = { region: 'Region' };
const methods: string[] = [];
let upstream: FetchServer;
let gateway: TestGateway;
let token: string;

function build(): McpServer {
  const server = new McpServer({ name: 'marked', version: '1.0.0' });
  const marked = (name: string) => z.string().meta(name in marks ? { 'x-mcp-header': marks[name] } : {});
  const inputSchema = z.object({ region: marked('region'), zone: marked('zone').optional() });
  server.registerTool('find', { inputSchema }, ({ region, zone }) => ({
    content: [{ type: 'text', text: `${region} ${zone}` }],
  }));
  server.registerTool('primes', { outputSchema: z.array(z.number()) }, () => ({
    content: [],
    structuredContent: [2, 3],
  }));
  return server;
}

beforeAll(async () => {
  const modern = createMcpHandler(build, { legacy: 'reject' });
  upstream = await serveFetch((request) => {
    methods.push(request.headers.get('mcp-method') ?? request.method);
    return modern.fetch(request);
  });
  gateway = await startGateway();
  await gateway.register({ name: 'marked', url: upstream.url });
  token = await gateway.token('ann');
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const addresses = [
  ['/servers/marked/mcp', ''],
  ['/mcp', 'marked_'],
] as const;

for (const [path, prefix] of addresses) {
  test(`${path}: arguments are repeated in the headers the server compares`, async () => {
    const client = await connectClientV1(gateway.url + path, token);
    for (const region of ['eu-1', 'Zürich', ' padded ', ''])
      expect(textOf(await client.callTool({ name: `${prefix}find`, arguments: { region } }))).toBe(
        `${region} undefined`,
      );
    await client.close();
  });

  test(`${path}: output that is no object neither breaks the listing nor the result`, async () => {
    for (const client of [
      await connectClientV1(gateway.url + path, token),
      await connectClient(gateway.url + path, token, 'legacy'),
    ]) {
      const tool = (await client.listTools()).tools.find(({ name }) => name === `${prefix}primes`);
      expect(tool).toBeDefined();
      expect(tool).not.toHaveProperty('outputSchema');
      const result = await client.callTool({ name: `${prefix}primes`, arguments: {} });
      expect(result).toMatchObject({ structuredContent: { result: [2, 3] } });
      await client.close();
    }
  });
}

test('a tool that marks other arguments than when it was listed is listed again, and called once more', async () => {
  const client = await connectClientV1(`${gateway.url}/servers/marked/mcp`, token);
  marks = { region: 'Region', zone: 'Zone' };
  methods.length = 0;
  const call = { name: 'find', arguments: { region: 'eu', zone: 'b' } };
  expect(textOf(await client.callTool(call))).toBe('eu b');
  expect(methods.filter((method) => method.startsWith('tools/'))).toEqual(['tools/call', 'tools/list', 'tools/call']);
  methods.length = 0;
  expect(textOf(await client.callTool(call))).toBe('eu b');
  expect(methods).toEqual(['tools/call']);
  await client.close();
});
