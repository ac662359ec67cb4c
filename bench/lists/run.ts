/**
 * `npm run bench:lists`: what a merged tools/list costs.
 *
 * A hundred upstreams with a hundred tools each, in a process of their own. Cold: each of them is asked, one answers
 * after two seconds. Warm: nobody is asked; CPU per list beside that of a bare node:http server that sends the same
 * bytes, in turns, medians over rounds. Postern is built and driven from outside.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { startWorker } from '../load/worker.ts';
import { mintToken, startPostern } from '../postern-process.ts';
import { cpuMicros, machine, median, rssMegabytes } from '../process-stats.ts';
import type { Upstreams } from './upstreams.ts';

const COLD_ROUNDS = 3;
const SLOW_MS = 2_000;
const GOAL_COLD_MS = 2_200;
const LASTING_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    lists: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
    servers: { type: 'string', default: '100' },
    tools: { type: 'string', default: '100' },
    legacy: { type: 'boolean', default: false },
  },
});
const lists = Number(values.lists);
const servers = Number(values.servers);
const tools = Number(values.tools);
const rounds = Number(values.rounds);

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const params = values.legacy ? {} : { _meta: ENVELOPE };
const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params });
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  ...(values.legacy
    ? { 'mcp-protocol-version': '2025-11-25' }
    : { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }),
};

interface Subject {
  readonly pid: number;
  readonly pool: Pool;
  readonly token?: string;
}

async function list({ pool, token }: Subject): Promise<Buffer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await pool.request({ path: '/mcp', method: 'POST', headers: { ...headers, ...authorization }, body });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${bytes.toString().slice(0, 200)}`);
  return bytes;
}

async function coldMs(subject: Subject): Promise<number> {
  const startedMs = performance.now();
  const bytes = await list(subject);
  const tookMs = performance.now() - startedMs;
  const { result } = JSON.parse(bytes.toString()) as { result: { tools: unknown[] } };
  if (result.tools.length !== servers * tools) throw new Error(`only ${result.tools.length} tools were listed`);
  return tookMs;
}

/** CPU time per list, in microseconds. */
async function warmMicros(subject: Subject): Promise<number> {
  const before = cpuMicros(subject.pid);
  for (let index = 0; index < lists; index++) await list(subject);
  return (cpuMicros(subject.pid) - before) / lists;
}

const folder = mkdtempSync(join(tmpdir(), 'postern-lists-'));
const upstreams = startWorker('../lists/upstreams');
const bare = startWorker('../lists/bare');
let postern = await startPostern(folder);
const told = (change: Upstreams) => upstreams.ask<{ ports: number[]; lists: number }>(change);
const pools: Pool[] = [];
const poolOf = (url: string): Pool => {
  const pool = new Pool(url, { connections: 1 });
  pools.push(pool);
  return pool;
};
try {
  const token = await mintToken(folder);
  const idleMegabytes = rssMegabytes(postern.pid);
  const { ports } = await told({ servers, tools });
  for (const [index, port] of ports.entries()) {
    const response = await fetch(`${postern.url}/v1/gateways`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: `server ${index}`, url: `http://127.0.0.1:${port}/mcp` }),
    });
    if (response.status !== 200) throw new Error(`registration: ${response.status} ${await response.text()}`);
  }
  await told({ slowMs: SLOW_MS });
  const subject = (): Subject => ({ pid: postern.pid, pool: poolOf(postern.url), token });
  const cold: number[] = [];
  for (let round = 0; round < COLD_ROUNDS; round++) {
    await postern.stop();
    postern = await startPostern(folder);
    cold.push(await coldMs(subject()));
  }
  const own = subject();
  const again = await coldMs(own);

  await told({ slowMs: 0, ttlMs: LASTING_MS });
  await list(own);
  const asked = (await told({})).lists;
  const bytes = await list(own);
  const file = join(folder, 'list.json');
  writeFileSync(file, bytes);
  const { port } = await bare.ask<{ port: number }>({ file });
  const floor: Subject = { pid: bare.pid, pool: poolOf(`http://127.0.0.1:${port}`) };
  const samples = { postern: [] as number[], bare: [] as number[] };
  for (const subject of [own, floor]) await warmMicros(subject);
  for (let round = 0; round < rounds; round++) {
    samples.bare.push(await warmMicros(floor));
    samples.postern.push(await warmMicros(own));
  }
  if ((await told({})).lists !== asked) throw new Error('an upstream was asked for a warm list');

  const ratios = samples.postern.map((micros, round) => micros / (samples.bare[round] ?? Number.NaN));
  console.log(machine());
  console.log(`${servers} upstreams with ${tools} tools each; tools/list of ${(bytes.length / 1e6).toFixed(2)} MB`);
  console.log(
    `all asked, one takes ${SLOW_MS} ms    ${again.toFixed(0)} ms (goal ${GOAL_COLD_MS}); right after a start ${cold.map((ms) => ms.toFixed(0)).join(' ')} ms`,
  );
  console.log(`warm, CPU per list            ${median(samples.postern).toFixed(0)} us`);
  console.log(`bare node:http, same bytes    ${median(samples.bare).toFixed(0)} us`);
  console.log(
    `postern / bare                ${median(ratios).toFixed(2)} (by round ${ratios.map((r) => r.toFixed(2)).join(' ')})`,
  );
  console.log(
    `RSS                           ${rssMegabytes(postern.pid).toFixed(0)} MB (${idleMegabytes.toFixed(0)} MB before)`,
  );
} finally {
  for (const pool of pools) await pool.close();
  await postern.stop();
  upstreams.stop();
  bare.stop();
  rmSync(folder, { recursive: true, force: true });
}
