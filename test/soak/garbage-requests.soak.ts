/** Whatever is sent to it, the gateway answers, blames the right one, and goes on. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, openCallers } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { scaled } from '../support/soak-scale.ts';

const SEED = 20_260_728;
const DEADLINE_MS = 10_000;
let upstream: PlainMcpServer;
let gateway: TestGateway;
let token: string;
let pool: Pool;

beforeAll(async () => {
  upstream = await startPlainMcpServer();
  gateway = await startGateway();
  await gateway.register({ name: 'up', url: upstream.url });
  await gateway.register({ name: 'prey', url: upstream.url });
  token = await gateway.token('operator', 'admin');
  pool = new Pool(gateway.url, { connections: 8, pipelining: 1 });
});
afterAll(async () => {
  await pool.close();
  await gateway.close();
  await upstream.close();
});

/** Nothing went wrong inside, and a good call still works. */
async function assertSound(): Promise<void> {
  const internal = gateway.events.filter(
    ({ name, fields }) => name === 'task.failed' || (fields as { code?: string }).code === 'internal',
  );
  expect(internal).toEqual([]);
  const callers = openCallers(gateway.url, token, 1);
  expect(await callers.call(bare('/servers/up/mcp', 'echo'), 'still there')).toBe('still there');
  await callers.close();
}

const METHODS = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/read',
  'prompts/get',
  'completion/complete',
  'server/discover',
  'subscriptions/listen',
  'notifications/cancelled',
  'notifications/initialized',
  'logging/setLevel',
  'resources/subscribe',
  '__proto__',
  'constructor',
];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '__proto__', '../../etc/passwd', 'up', 'up_echo', 'echo', '\u0000', '💥'),
);
const id = fc.oneof(fc.integer(), fc.double(), text, fc.constant(null), fc.constant({}), fc.constant(undefined));
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, { weight: 1, arbitrary: text }),
    id,
    method: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...METHODS) }, { weight: 1, arbitrary: text }),
    params: fc.oneof(
      fc.record(
        {
          name: text,
          uri: text,
          cursor: text,
          arguments: fc.jsonValue(),
          _meta: fc.jsonValue(),
          ref: fc.jsonValue(),
          protocolVersion: text,
          capabilities: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    ),
    result: fc.jsonValue(),
    error: fc.jsonValue(),
  },
  { requiredKeys: ['jsonrpc', 'method'] },
);
const fields = fc.record(
  {
    name: text,
    url: fc.oneof(
      fc.webUrl(),
      text,
      fc.constantFrom('http://127.0.0.1:1/', 'https://[::1]:1/', 'http://169.254.169.254/'),
    ),
    ca_certificate: text,
    clientCert: text,
    clientKey: text,
    tags: fc.jsonValue(),
    auth_type: fc.oneof(fc.constantFrom('basic', 'bearer', 'authheaders', 'query_param'), text),
    auth_headers: fc.jsonValue(),
    pins: fc.jsonValue(),
    prefix: text,
    next: fc.jsonValue(),
    tls_config: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const json = (value: fc.Arbitrary<unknown>) => value.map((it) => Buffer.from(JSON.stringify(it) ?? ''));
const body = fc.oneof(
  { weight: 4, arbitrary: json(message) },
  { weight: 2, arbitrary: json(fields) },
  { weight: 1, arbitrary: json(fc.array(message, { maxLength: 3 })) },
  { weight: 1, arbitrary: json(fc.jsonValue()) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  // deep enough to overflow a careless recursion
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((depth) => Buffer.from('['.repeat(depth))) },
);
/** What HTTP/1.1 lets a header hold. */
const value = fc.stringMatching(/^[ -~]{0,60}$/);
const headers = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 6, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: value },
    ),
    accept: value,
    'mcp-protocol-version': fc.oneof(fc.constantFrom('2025-11-25', '2026-07-28', '2024-11-05'), value),
    'mcp-session-id': value,
    'mcp-method': fc.oneof(fc.constantFrom(...METHODS), value),
    'mcp-name': value,
    'last-event-id': value,
    'if-match': value,
    origin: value,
    'x-forwarded-for': value,
  },
  { requiredKeys: [] },
);
const REST_PATHS = [
  '/v1/gateways',
  '/v1/gateways/prey',
  '/v1/gateways/prey/state',
  '/v1/gateways/nobody',
  '/gateways',
  '/v1',
  '/openapi.json',
  '/metrics',
  '/health',
  '/ready',
];
const MCP_PATHS = [
  '/mcp',
  '/mcp/',
  '/mcp/http',
  '/servers/up/mcp',
  '/servers/prey/mcp',
  '/servers/nobody/mcp',
  '/servers//mcp',
];
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...MCP_PATHS) },
  { weight: 3, arbitrary: fc.constantFrom(...REST_PATHS) },
  { weight: 1, arbitrary: fc.webPath() },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...REST_PATHS), fc.webQueryParameters()).map((parts) => parts.join('?')),
  },
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constant('POST') },
  { weight: 3, arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS') },
);

test('requests made of garbage are refused or answered, never a fault of ours', async () => {
  const request = fc.record({ method, path, headers, body, authorized: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers, body, authorized }) => {
      // the one gateway the last check needs
      fc.pre(!(method === 'DELETE' && path.startsWith('/v1/gateways/up')));
      const answer = await pool.request({
        method,
        path: path === '' ? '/' : path,
        headers: { ...headers, ...(authorized && { authorization: `Bearer ${token}` }) },
        body: method === 'GET' || method === 'HEAD' ? null : body,
        headersTimeout: DEADLINE_MS,
        bodyTimeout: DEADLINE_MS,
      });
      const type = String(answer.headers['content-type']);
      // event streams do not end by themselves
      const read = type.startsWith('text/event-stream') ? (answer.body.destroy(), '') : await answer.body.text();
      expect(answer.statusCode, read).not.toBe(500);
      if (read !== '' && type.includes('json')) JSON.parse(read);
      expect(read).not.toMatch(/\n {4}at |node:internal|node_modules/);
    }),
    { seed: SEED, numRuns: scaled(20_000, 200), endOnFailure: true },
  );
  await assertSound();
});

test('connections made of garbage are closed or answered, and others go on', async () => {
  const request = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(
        fc.constantFrom(
          'GET /mcp HTTP/1.1\r\n',
          'POST /mcp HTTP/1.1\r\nhost: localhost\r\n',
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
          '\u0016\u0003\u0001',
        ),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([begin, bytes]) => Buffer.concat([Buffer.from(begin, 'latin1'), bytes])),
  );
  await fc.assert(
    fc.asyncProperty(request, async (bytes) => {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.end(bytes));
        const timer = setTimeout(() => reject(new Error('the connection stayed open')), DEADLINE_MS);
        socket.on('error', () => undefined).resume();
        socket.on('close', () => (clearTimeout(timer), resolve()));
      });
    }),
    { seed: SEED, numRuns: scaled(3_000, 100), endOnFailure: true },
  );
  await assertSound();
});
