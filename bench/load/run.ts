/**
 * `npm run bench:load`: what a call through Postern costs, beside what any relay must cost.
 *
 * One warm upstream that demands a client certificate, three ways to it in one run: direct, the floor (relay.ts) and
 * Postern as built, driven over its public surface. Rounds are interleaved, numbers are medians over rounds. CPU time
 * is what to look at: on a small machine latency and throughput mostly tell how busy the other processes are.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, profilingFlags, startPostern } from '../postern-process.ts';
import { cpuMicros, machine, median, rssMegabytes } from '../process-stats.ts';
import { printProfiles } from './profile.ts';
import { mintMaterial, type Material } from './material.ts';
import { startWorker } from './worker.ts';
import type { Outcome, Target } from './generator.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    era: { type: 'string', default: 'legacy' },
    'cpu-prof': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const calls = Number(values.calls);
const concurrency = Number(values.concurrency);
const rounds = Number(values.rounds);
const GOAL = 1.25;
/** Calls before the first round, in rounds: it takes the engine some 20,000 to settle. */
const WARM_UP = 2;

interface Sample extends Outcome {
  readonly ownMicros: number;
  readonly upstreamMicros: number;
  readonly generatorMicros: number;
}

const HEADERS = {
  legacy: { 'mcp-protocol-version': '2025-11-25' },
  modern: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
};
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

async function register(url: string, token: string, upstream: string, material: Material): Promise<void> {
  const response = await fetch(`${url}/v1/gateways`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      name: 'bench',
      url: `${upstream}/mcp`,
      transport: 'STREAMABLEHTTP',
      ca_certificate: material.ca,
      client_cert: material.client.cert,
      client_key: material.client.key,
    }),
  });
  if (response.status !== 200) throw new Error(`registration: ${response.status} ${await response.text()}`);
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
const profiles = values['cpu-prof'];
if (profiles) mkdirSync(profiles, { recursive: true });
const material = await mintMaterial();
const upstream = startWorker('upstream');
const generator = startWorker('generator');
const relay = startWorker('relay', profiles ? profilingFlags(profiles) : []);
const postern = await startPostern(folder, profiles);

try {
  const served = await upstream.ask<{ port: number }>({ ca: material.ca, ...material.server });
  const origin = `https://127.0.0.1:${served.port}`;
  const relayed = await relay.ask<{ port: number }>({ origin, ca: material.ca, ...material.client });
  const token = await mintToken(folder);
  await register(postern.url, token, origin, material);

  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...HEADERS[values.era === 'modern' ? 'modern' : 'legacy'],
  };
  const params = { name: 'echo', arguments: {}, ...(values.era === 'modern' && { _meta: ENVELOPE }) };
  const subjects: readonly { readonly target: Target; readonly pid: number | undefined }[] = [
    {
      target: { name: 'direct', url: `${origin}/mcp`, headers, tls: { ca: material.ca, ...material.client } },
      pid: undefined,
    },
    { target: { name: 'floor', url: `http://127.0.0.1:${relayed.port}/mcp`, headers }, pid: relay.pid },
    {
      target: {
        name: 'postern',
        url: `${postern.url}/servers/bench/mcp`,
        headers: { ...headers, authorization: `Bearer ${token}` },
      },
      pid: postern.pid,
    },
  ];

  const run = async (target: Target, count: number): Promise<Outcome> => {
    const order = { target, method: 'tools/call', params, calls: count, concurrency };
    const answer = await generator.ask<{ outcome?: Outcome; failure?: string }>(order);
    if (!answer.outcome) throw new Error(answer.failure);
    return answer.outcome;
  };

  const samples = new Map<string, Sample[]>(subjects.map(({ target }) => [target.name, []]));
  const results: unknown[] = [];
  for (const { target } of subjects) results.push((await run(target, WARM_UP * calls)).result);
  if (!results.every((result) => isDeepStrictEqual(result, results[0])))
    throw new Error(`the subjects answer differently: ${JSON.stringify(results).slice(0, 500)}`);

  for (let round = 0; round < rounds; round++) {
    for (const { target, pid } of subjects) {
      const before = [pid, upstream.pid, generator.pid].map((id) => (id === undefined ? 0 : cpuMicros(id)));
      const outcome = await run(target, calls);
      const after = [pid, upstream.pid, generator.pid].map((id) => (id === undefined ? 0 : cpuMicros(id)));
      const [ownMicros = 0, upstreamMicros = 0, generatorMicros = 0] = after.map(
        (micros, index) => (micros - (before[index] ?? 0)) / calls,
      );
      samples.get(target.name)?.push({ ...outcome, ownMicros, upstreamMicros, generatorMicros });
    }
  }

  const rows = subjects.map(({ target, pid }) => {
    const own = samples.get(target.name) ?? [];
    const middle = (pick: (sample: Sample) => number): number => median(own.map(pick));
    return {
      subject: target.name,
      'cpu us/call': Math.round(middle((sample) => sample.ownMicros)),
      'upstream us': Math.round(middle((sample) => sample.upstreamMicros)),
      'generator us': Math.round(middle((sample) => sample.generatorMicros)),
      'p50 ms': Number(middle((sample) => sample.p50Ms).toFixed(2)),
      'p99 ms': Number(middle((sample) => sample.p99Ms).toFixed(2)),
      'calls/s': Math.round(calls / middle((sample) => sample.seconds)),
      'rss MB': pid === undefined ? 0 : Math.round(rssMegabytes(pid)),
    };
  });
  const floor = samples.get('floor') ?? [];
  const ratios = (samples.get('postern') ?? []).map((own, round) => own.ownMicros / (floor[round]?.ownMicros ?? NaN));
  const ratio = median(ratios);

  if (values.json) console.log(JSON.stringify({ machine: machine(), calls, concurrency, rounds, rows, ratios, ratio }));
  else {
    console.log(`${machine()}\n${calls} calls of tools/call, ${concurrency} at a time, medians of ${rounds} rounds\n`);
    console.table(Object.fromEntries(rows.map(({ subject, ...numbers }) => [subject, numbers])));
    const each = ratios.map((value) => value.toFixed(2)).join(' ');
    console.log(`postern / floor, CPU per call: ${ratio.toFixed(2)} (goal ${GOAL}; rounds ${each})`);
  }
} finally {
  generator.stop();
  await postern.stop();
  relay.stop();
  upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}
if (profiles) {
  await relay.ended;
  printProfiles(profiles, { postern: postern.pid, floor: relay.pid }, calls * (rounds + WARM_UP));
}
