/** The contracts, run by each runtime (test/runtime/vitest.config.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

/** Runs the suite on one runtime, but for some files, and prints what it prints. A run that broke is a failure. */
export async function runSuite(name: SuiteName, without: readonly string[] = []): Promise<Tally> {
  const { subject, args } = SUITES[name];
  const folder = await mkdtemp(join(tmpdir(), 'postern-suite-'));
  const report = join(folder, 'report.json');
  console.log(`\nthe contracts on ${name}:`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(
    RUNTIMES[name],
    [
      ...args,
      VITEST,
      'run',
      '--config',
      'test/runtime/vitest.config.ts',
      ...reporters,
      ...without.flatMap((file) => ['--exclude', file]),
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, POSTERN_TEST_RUNTIME: subject } },
  );
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    const text = await readFile(report, 'utf8').catch(() => '{}');
    const { numPassedTests: passed = 0, numFailedTests = 0 } = JSON.parse(text) as Partial<Record<string, number>>;
    const failed = numFailedTests === 0 && (code !== 0 || passed === 0) ? 1 : numFailedTests;
    return { passed, failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
