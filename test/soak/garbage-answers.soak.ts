/** Whatever an upstream answers, its callers get an answer or an end, and other upstreams go on. */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, modern, openCallers } from '../support/callers.ts';
import type { Callers, CallRoute } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startPlainMcpServer } from '../support/plain-mcp-server.ts';
import type { PlainMcpServer } from '../support/plain-mcp-server.ts';
import { scaled } from '../support/soak-scale.ts';

const SEED = 20_251_125;
const DEADLINE_MS = 10_000;

interface Garbage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Uint8Array[];
  /** How the answer ends: as it should, or with the connection. */
  readonly end: 'end' | 'cut';
}

let garbage: Garbage | undefined;
let server: Server;
let good: PlainMcpServer;
let gateway: TestGateway;
let token: string;
let pool: Pool;

beforeAll(async () => {
  good = await startPlainMcpServer();
  // asks the good one until there is garbage to answer with
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (garbage) return spill(response, garbage);
      void fetch(good.url, { method: request.method ?? 'POST', body: Buffer.concat(chunks) }).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  await gateway.register({ name: 'good', url: good.url });
  token = await gateway.token('operator', 'admin');
  pool = new Pool(gateway.url, { connections: 8, pipelining: 1 });
});
afterAll(async () => {
  await pool.close();
  await gateway.close();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  await good.close();
});

function spill(response: ServerResponse, { status, headers, chunks, end }: Garbage): void {
  response.writeHead(status, headers);
  for (const chunk of chunks) response.write(chunk);
  if (end === 'end') response.end();
  else response.socket?.end();
}

const bytes = (value: string) => Buffer.from(value);
const result = fc.record({
  jsonrpc: fc.constant('2.0'),
  id: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.string(), fc.constant(null)),
  result: fc.jsonValue(),
});
const failure = fc.record({ jsonrpc: fc.constant('2.0'), id: fc.integer({ min: 0, max: 9 }), error: fc.jsonValue() });
const asked = fc.record({
  jsonrpc: fc.constant('2.0'),
  id: fc.string(),
  method: fc.constantFrom('ping', 'sampling/createMessage', 'x'),
  params: fc.jsonValue(),
});
const message = fc.oneof(result, failure, asked, fc.jsonValue());
const event = fc.oneof(
  message.map((it) => bytes(`event: message\ndata: ${JSON.stringify(it)}\n\n`)),
  message.map((it) => bytes(`id: 1\ndata: ${JSON.stringify(it, null, 1).replaceAll('\n', '\ndata: ')}\n\n`)),
  fc.string({ unit: 'binary' }).map((it) => bytes(`data: ${it}\n\n`)),
  fc
    .constantFrom(
      ': nothing\n\n',
      'data:\n\n',
      'retry: x\n\n',
      '\n\n',
      'event: endpoint\ndata: /messages\n\n',
      '\uFEFFdata: {}\r\n\r\n',
    )
    .map(bytes),
  fc.uint8Array({ maxLength: 60 }),
);
const json = message.map((it) => bytes(JSON.stringify(it)));
const any: fc.Arbitrary<Garbage> = fc.record({
  // a server that only fails is spared by the breaker, and then says nothing more
  status: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(200, 200, 200, 202, 204, 301, 304, 400, 401, 404, 405, 429) },
    { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
  ),
  headers: fc.record(
    {
      'content-type': fc.oneof(
        fc.constantFrom('application/json', 'text/event-stream', 'text/html', 'application/json; charset=x'),
        fc.stringMatching(/^[!-~]{1,20}$/),
      ),
      'mcp-session-id': fc.stringMatching(/^[ -~]{0,40}$/),
      location: fc.constantFrom('/', 'http://127.0.0.1:1/', 'x'),
      'content-encoding': fc.constantFrom('gzip', 'identity'),
      'www-authenticate': fc.constant('Bearer'),
    },
    { requiredKeys: ['content-type'] },
  ),
  chunks: fc.oneof(
    fc.array(event, { maxLength: 6 }),
    fc.array(json, { maxLength: 2 }),
    fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
  ),
  end: fc.oneof(
    { weight: 5, arbitrary: fc.constant('end' as const) },
    { weight: 1, arbitrary: fc.constant('cut' as const) },
  ),
});

type Outcome = 'answered' | 'broken off' | 'spared';

/** Registers the bad upstream anew, with a breaker that knows nothing of it, and opens every way to it. */
async function openRoutes(callers: Callers): Promise<readonly CallRoute[]> {
  garbage = undefined;
  await gateway.api('DELETE', '/v1/gateways/bad');
  await gateway.register({ name: 'bad', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
  return [
    bare('/mcp', 'bad_echo'),
    bare('/servers/bad/mcp', 'echo'),
    modern('/mcp', 'bad_echo'),
    modern('/servers/bad/mcp', 'echo'),
    await callers.session('/mcp', 'bad_echo'),
    await callers.session('/servers/bad/mcp', 'echo'),
  ];
}

/** One call, whatever becomes of it. */
async function call(route: CallRoute): Promise<Outcome> {
  const params = { name: route.tool, arguments: {}, ...(route.meta && { _meta: route.meta }) };
  const answer = await pool.request({
    method: 'POST',
    path: route.path,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...route.headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    headersTimeout: DEADLINE_MS,
    bodyTimeout: DEADLINE_MS,
  });
  expect(answer.statusCode).not.toBe(500);
  try {
    const text = await answer.body.text();
    expect(text).not.toMatch(/\n {4}at |node:internal|node_modules/);
    return text.includes('"upstream_unavailable"') ? 'spared' : 'answered';
  } catch (error) {
    expect((error as { code?: string }).code).toMatch(
      /^(UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|ECONNRESET)$/,
    );
    return 'broken off';
  }
}

test('answers made of garbage harm nobody else', async () => {
  const callers = openCallers(gateway.url, token, 1);
  let routes = await openRoutes(callers);
  const outcomes: Record<Outcome, number> = { answered: 0, 'broken off': 0, spared: 0 };
  await fc.assert(
    fc.asyncProperty(any, fc.nat({ max: 6 }), async (spilt, which) => {
      garbage = spilt;
      const route = routes[which];
      if (route) {
        const outcome = await call(route);
        outcomes[outcome]++;
        if (outcome === 'spared') routes = await openRoutes(callers);
      } else {
        const refreshed = await gateway.api('POST', '/v1/gateways/bad/refresh');
        const problem = (await refreshed.json()) as { code?: string };
        expect([200, 502], JSON.stringify(problem)).toContain(refreshed.status);
      }
    }),
    { seed: SEED, numRuns: scaled(10_000, 200), endOnFailure: true },
  );
  console.log(outcomes);
  garbage = undefined;
  expect(outcomes.answered).toBeGreaterThan(5 * outcomes.spared);
  const internal = gateway.events.filter(
    ({ name, fields }) => name === 'task.failed' || (fields as { code?: string }).code === 'internal',
  );
  expect(internal).toEqual([]);
  expect(await callers.call(bare('/servers/good/mcp', 'echo'), 'still there')).toBe('still there');
  await callers.close();
});
