/**
 * `npm run bench:guards`: what policy, limits and audit cost a warm call, apart and together. One gateway as built for each,
 * before an upstream that demands a client certificate, in turns; CPU time of the gateway alone, medians over rounds.
 */
import { parseArgs } from 'node:util';
import { sample, WARM_UP_ROUNDS } from '../load/measure.ts';
import { commandLine, nodePlatform, openStage } from '../load/stage.ts';
import type { Platform, Stage } from '../load/stage.ts';
import { machine, median } from '../process-stats.ts';

const GOAL_MICROS = 15;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '9' },
    concurrency: { type: 'string', default: '16' },
  },
});
const load = {
  calls: Number(values.calls),
  rounds: Number(values.rounds),
  concurrency: Number(values.concurrency),
};

/** Which allow all of it, after looking at others. */
const RULES = [
  ...Array.from({ length: 20 }, (_, index) => ({
    name: `team ${index}`,
    who: { subject: `team-${index}-*` },
    allow: { servers: `desk-${index}` },
  })),
  { name: 'administrators', who: { role: 'admin' }, allow: { servers: '*', admin: '*' } },
];
/** Which holds nobody up. */
const LIMITS = 'subject=1000000/second,burst=1000000';
const AUDIT = 'file:audit.ndjson';

interface Guards {
  readonly env?: Readonly<Record<string, string>>;
  readonly rules?: readonly object[];
}

const GUARDS: Readonly<Record<string, Guards>> = {
  none: {},
  'none, again': {},
  policy: { rules: RULES },
  limits: { env: { POSTERN_LIMITS: LIMITS } },
  audit: { env: { POSTERN_AUDIT: AUDIT } },
  'all three': { rules: RULES, env: { POSTERN_LIMITS: LIMITS, POSTERN_AUDIT: AUDIT } },
};

async function open({ env = {}, rules }: Guards): Promise<Stage> {
  const start = commandLine(undefined, env);
  const startPostern: Platform['startPostern'] = async (folder, material) => {
    const postern = await start(folder, material);
    if (rules !== undefined) await putPolicy(postern, rules);
    return postern;
  };
  return openStage('legacy', { ...nodePlatform(), startPostern });
}

async function putPolicy(
  { url, token }: { readonly url: string; readonly token: string },
  rules: readonly object[],
): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/v1/policy`, { method: 'PUT', headers, body: JSON.stringify({ rules }) });
  if (!answer.ok) throw new Error(`policy: ${answer.status} ${await answer.text()}`);
}

const stages: (readonly [name: string, stage: Stage, micros: number[]])[] = [];
try {
  for (const [name, guards] of Object.entries(GUARDS)) stages.push([name, await open(guards), []]);
  for (let round = -WARM_UP_ROUNDS; round < load.rounds; round++)
    for (const [, stage, micros] of stages) {
      const { ownMicros } = await sample(stage, stage.postern, load);
      if (round >= 0) micros.push(ownMicros);
    }
} finally {
  for (const [, stage] of stages) await stage.close();
}

const [[, , without] = []] = stages;
const more = (micros: readonly number[]) =>
  median(micros.map((one, round) => one - (without?.[round] ?? Number.NaN))).toFixed(1);
console.log(machine());
console.log(`tools/call of 2025-11-25 over mutual TLS, ${load.calls} calls, ${load.concurrency} at a time`);
console.table(
  Object.fromEntries(
    stages.map(([name, , micros]) => [
      name,
      { 'cpu us/call': median(micros).toFixed(1), 'more than none': more(micros) },
    ]),
  ),
);
console.log(`goal: all three at most ${GOAL_MICROS} us more`);
