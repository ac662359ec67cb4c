/**
 * The client the suite's client scenarios start: registers the suite's server with the gateway at POSTERN_URL and does
 * there what the scenario asks of a client, so that the suite judges what the gateway sends.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const {
  POSTERN_URL: gateway = '',
  MCP_CONFORMANCE_SCENARIO: scenario = '',
  MCP_CONFORMANCE_PROTOCOL_VERSION: revision = '',
  MCP_CONFORMANCE_CONTEXT: context = '{}',
} = process.env;

type Play = (client: Client) => Promise<unknown>;

const call = (client: Client, name: string, args: Record<string, unknown> = {}) =>
  client.callTool({ name, arguments: args });

const PLAYS: Readonly<Record<string, Play>> = {
  initialize: (client) => client.listTools(),
  tools_call: (client) => call(client, 'add_numbers', { a: 2, b: 3 }),
  'elicitation-sep1034-client-defaults': (client) => call(client, 'test_client_elicitation_defaults'),
  'sse-retry': (client) => call(client, 'test_reconnection'),
  'request-metadata': (client) => client.listTools(),
  'sep-2322-client-request-state': async (client) => {
    // between the rounds of one tool another is called
    await Promise.all([call(client, 'test_mrtr_echo_state'), call(client, 'test_mrtr_unrelated')]);
    await call(client, 'test_mrtr_no_state');
    await call(client, 'test_mrtr_no_result_type');
  },
  'http-standard-headers': async (client) => {
    for (const { name } of (await client.listTools()).tools) await call(client, name);
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
  },
  'http-custom-headers': async (client) => {
    await client.listTools();
    const { toolCalls } = JSON.parse(context) as { toolCalls: { name: string; arguments: Record<string, unknown> }[] };
    for (const { name, arguments: args } of toolCalls) await call(client, name, args);
  },
  'http-invalid-tool-headers': async (client) => {
    for (const { name } of (await client.listTools()).tools) await call(client, name, { region: 'us-west1' });
  },
  'json-schema-ref-no-deref': (client) => client.listTools(),
  'json-schema-2020-12-preservation': async (client) => {
    const { tools } = await client.listTools();
    const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
    await call(client, 'json_schema_echo', { schema });
  },
};

/** There each request is judged by the rules of the modern era, the gateway's look for the legacy one included. */
const ONE_ERA = new Set(['request-metadata', 'http-standard-headers']);

async function register(url: string): Promise<string> {
  const response = await fetch(`${gateway}/v1/gateways`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: `${scenario} ${revision}`,
      url,
      protocolEra: ONE_ERA.has(scenario) ? 'modern' : 'auto',
    }),
  });
  if (!response.ok) throw new Error(`not registered: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { slug: string }).slug;
}

const play = PLAYS[scenario];
if (!play) throw new Error(`no client for the scenario ${scenario}`);
const slug = await register(process.argv[2] ?? '');
const client = new Client(
  { name: 'suite-client', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
    versionNegotiation: { mode: revision >= '2026-07-28' ? { pin: revision } : 'legacy' },
  },
);
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
const transport = new StreamableHTTPClientTransport(new URL(`${gateway}/servers/${slug}/mcp`));
await client.connect(transport);
await play(client);
if (revision < '2026-07-28') await transport.terminateSession();
await client.close();
