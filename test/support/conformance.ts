/** Runs the public conformance suite and reads what it found. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CONFORMANCE, runClient } from './installed-clients.ts';
import { makeTempFolder } from './temp-folder.ts';

export type Revision = '2025-11-25' | '2026-07-28';

/** Server scenarios each revision requires. */
export const REQUIRED_COUNT: Readonly<Record<Revision, number>> = { '2025-11-25': 30, '2026-07-28': 37 };

/** What one run of the suite found. */
export interface Findings {
  /** Required scenarios of which no check failed and at least one succeeded, in the order of the set. */
  readonly passed: readonly string[];
  /** Required scenarios that did not pass. */
  readonly failed: readonly string[];
  /** What failed or was warned of, one line each: `scenario: check: reason`. */
  readonly complaints: readonly string[];
}

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

interface RequirementSet {
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly not_scored: readonly { readonly scenario: string; readonly leg: string; readonly reason: string }[];
}

/** The scenarios a revision requires, as the suite's package lists them, and further ones that are no extensions. */
export async function requirementsOf(revision: Revision, leg: 'server' | 'client') {
  const set = parse(await readFile(join(CONFORMANCE, `requirements/${revision}.yaml`), 'utf8')) as RequirementSet;
  const beyond = set.not_scored.filter((entry) => entry.leg === leg && entry.reason !== 'extension');
  return { required: set[leg], beyond: beyond.map(({ scenario }) => scenario) };
}

/** What a server that conforms in everything looks like. */
export async function fullConformance(revision: Revision): Promise<Findings> {
  const { required } = await requirementsOf(revision, 'server');
  return { passed: required, failed: [], complaints: [] };
}

/** Runs every server scenario of a revision against an address. */
export async function examineServer(url: string, revision: Revision): Promise<Findings> {
  const found = await run(['server', '--url', url, '--requirements', revision]);
  const { required, beyond } = await requirementsOf(revision, 'server');
  return findingsOf(required, beyond, found);
}

/**
 * Runs one client scenario: the suite starts a server, appends its address to `command`, and judges what comes.
 *
 * @param env what the command needs to know beside the suite's own variables
 */
export async function examineClient(
  command: string,
  scenario: string,
  revision: Revision,
  env: Readonly<Record<string, string>>,
): Promise<Findings> {
  const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision];
  return findingsOf([scenario], [], await run(args, env));
}

/** Checks by scenario. */
async function run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Map<string, Check[]>> {
  const folder = await makeTempFolder();
  try {
    const { stdout, stderr } = await runClient('conformance', [...args, '-o', folder.path], env);
    const checks = new Map<string, Check[]>();
    for (const name of await readdir(folder.path)) {
      const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T.*$/, '');
      // a scenario that broke leaves an empty folder
      const text = await readFile(join(folder.path, name, 'checks.json'), 'utf8').catch(() => '[]');
      checks.set(scenario, JSON.parse(text) as Check[]);
    }
    if (checks.size === 0) throw new Error(`the suite ran nothing: ${stderr || stdout}`);
    return checks;
  } finally {
    await folder.remove();
  }
}

function findingsOf(
  required: readonly string[],
  beyond: readonly string[],
  checks: ReadonlyMap<string, readonly Check[]>,
): Findings {
  const passes = (scenario: string) => {
    const found = checks.get(scenario) ?? [];
    return found.some(({ status }) => status === 'SUCCESS') && !found.some(({ status }) => status === 'FAILURE');
  };
  const complaints = [...required, ...beyond].flatMap((scenario) => {
    const found = checks.get(scenario) ?? [];
    if (found.length === 0) return [`${scenario}: was not run`];
    return found
      .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
      .map(({ id, errorMessage }) => `${scenario}: ${id}: ${errorMessage ?? 'no reason given'}`);
  });
  return { passed: required.filter(passes), failed: required.filter((name) => !passes(name)), complaints };
}
