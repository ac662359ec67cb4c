/**
 * `npm run bench:runtimes`: the built gateway on each runtime. How soon it is ready, what it takes doing nothing, and
 * what a call costs beside that runtime's own bare relay (node:http and undici on Node and Deno, Bun.serve and fetch on
 * Bun, a Worker with a binding on workerd). Upstream and generator run on this Node throughout. Medians over rounds; look at CPU time, not at latency.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { measure } from '../load/measure.ts';
import type { Load, Sample } from '../load/measure.ts';
import { mintMaterial } from '../load/material.ts';
import { openStage } from '../load/stage.ts';
import type { Platform } from '../load/stage.ts';
import { machine, median, rssMegabytes } from '../process-stats.ts';
import { PLATFORMS } from './platforms.ts';

const SETTLE_MS = 2_000;
const material = await mintMaterial();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '3' },
    starts: { type: 'string', default: '5' },
    modern: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const load: Load = {
  calls: Number(values.calls),
  concurrency: Number(values.concurrency),
  rounds: Number(values.rounds),
};

const middle = (numbers: readonly number[], digits = 0): number => Number(median(numbers).toFixed(digits));

/** Starts after the first, which also makes the data directory and its keys, and may compile. */
async function start(platform: Platform): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-start-'));
  const readyMs: number[] = [];
  const rss: number[] = [];
  try {
    for (let run = 0; run <= Number(values.starts); run++) {
      const postern = await platform.startPostern(folder, material);
      readyMs.push(postern.readyMs);
      await wait(SETTLE_MS);
      rss.push(rssMegabytes(postern.pid));
      await postern.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { 'ready ms': middle(readyMs.slice(1)), 'idle RSS MB': middle(rss.slice(1)) };
}

async function calls(platform: Platform): Promise<Record<string, number>> {
  const stage = await openStage(values.modern ? 'modern' : 'legacy', platform);
  try {
    const { floor, postern } = await measure(stage, load);
    const cpu = (samples: readonly Sample[]) => middle(samples.map(({ ownMicros }) => ownMicros));
    const rate = (samples: readonly Sample[]) => middle(samples.map(({ seconds }) => load.calls / seconds));
    const ratios = postern.map((own, round) => own.ownMicros / (floor[round]?.ownMicros ?? Number.NaN));
    return {
      'cpu us/call': cpu(postern),
      'its relay': cpu(floor),
      ratio: middle(ratios, 2),
      'calls/s': rate(postern),
      'of its relay': rate(floor),
      'RSS MB under load': middle(postern.map(({ rssMegabytes: megabytes }) => megabytes)),
    };
  } finally {
    await stage.close();
  }
}

const subjects: Record<string, Record<string, number>> = {};
for (const name of positionals.length > 0 ? positionals : Object.keys(PLATFORMS)) {
  const platform = PLATFORMS[name];
  if (!platform) throw new Error(`expected ${Object.keys(PLATFORMS).join(', ')}; met ${name}`);
  subjects[name] = { ...(await calls(platform)), ...(await start(platform)) };
}

if (values.json) console.log(JSON.stringify({ machine: machine(), ...load, subjects }));
else {
  const era = values.modern ? '2026-07-28' : '2025-11-25';
  console.log(machine());
  console.log(
    `tools/call of ${era}, ${load.calls} calls, ${load.concurrency} at a time, medians of ${load.rounds} rounds`,
  );
  console.table(subjects);
}
