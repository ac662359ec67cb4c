/** The contracts, run by each runtime (test/runtime/vitest.config.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { RUNTIMES, type RuntimeName } from './programs.ts';

const root = resolve(import.meta.dirname, '../..');
const VITEST = resolve(root, 'node_modules/vitest/vitest.mjs');

/** Which subject each runtime is, and what it needs before the name of a program. */
const SUITES = {
  node22: { subject: 'node', args: [] },
  node24: { subject: 'node', args: [] },
  deno: { subject: 'deno', args: ['run', '--allow-all', '--unstable-kv'] },
  bun: { subject: 'bun', args: ['--bun'] },
} as const satisfies Partial<Record<RuntimeName, object>>;

export type SuiteName = keyof typeof SUITES;
export const SUITE_NAMES = Object.keys(SUITES) as readonly SuiteName[];

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs the suite on these runtimes, two at a time, but for some files, and prints what each printed once it ended. A run
 * that broke is a failure.
 */
export async function runSuites(names: readonly SuiteName[], without: readonly string[] = []): Promise<Tally> {
  const waiting = [...names];
  const total = { passed: 0, failed: 0 };
  const runNext = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { passed, failed, printed } = await runSuite(name, without);
      console.log(`\nthe contracts on ${name}:\n${printed}`);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all([runNext(), runNext()]);
  return total;
}

async function runSuite(name: SuiteName, without: readonly string[]): Promise<Tally & { readonly printed: string }> {
  const { subject, args } = SUITES[name];
  const folder = await mkdtemp(join(tmpdir(), 'postern-suite-'));
  const report = join(folder, 'report.json');
  const excluded = without.flatMap((file) => ['--exclude', file]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = [VITEST, 'run', '--config', 'test/runtime/vitest.config.ts', ...reporters, ...excluded];
  const child = spawn(RUNTIMES[name], [...args, ...vitest], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_TEST_RUNTIME: subject },
  });
  try {
    const ended = once(child, 'close') as Promise<[number | null]>;
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await ended;
    const found = await readFile(report, 'utf8').catch(() => '{}');
    const { numPassedTests: passed = 0, numFailedTests = 0 } = JSON.parse(found) as Partial<Record<string, number>>;
    const failed = numFailedTests === 0 && (code !== 0 || passed === 0) ? 1 : numFailedTests;
    return { passed, failed, printed: out + err };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
