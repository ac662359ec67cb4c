import type { FleetView, InstanceView } from '../../../../src/index.ts';
import { printTable, printable } from '../gateways/print.ts';
import type { CliIo } from '../io.ts';
import type { Verdict } from './judge.ts';

/** Said where nobody is to come to a generation. */
export const NOBODY = 'no instance runs over this store';

/** The fleet for people: what is newest, how far each instance is, and what keeps it. */
export function printFleet({ generation, converged, instances, storeLostAt }: FleetView, io: CliIo): void {
  if (storeLostAt !== null) io.err(lost(storeLostAt));
  if (generation === null) io.out('no generation was written yet');
  else {
    const { number, at, by, reason } = generation;
    io.out(`generation ${number}: ${reason} by ${printable(by)} at ${at}${converged ? ', served by all' : ''}`);
  }
  printInstances(instances, io);
  for (const instance of instances) for (const line of problemLines(instance.name, instance.problems)) io.out(line);
}

/** How a wait ended: a line per instance, and on standard error who did not come to it and why. */
export function printVerdict(
  { instances, storeLostAt }: FleetView,
  { behind, failed, lapsed }: Verdict,
  timeoutSeconds: number,
  io: CliIo,
): void {
  if (storeLostAt !== null) io.err(lost(storeLostAt));
  else if (instances.length > lapsed.length) printInstances(instances.filter(isLive), io);
  else io.err(NOBODY);
  for (const { instance, problems } of failed) for (const line of problemLines(instance.name, problems)) io.err(line);
  for (const { name, generation } of behind)
    io.err(`${printable(name)} is behind after ${timeoutSeconds} s: it serves generation ${generation}`);
  for (const { name } of lapsed) io.err(`${printable(name)} is not counted: it has said nothing for 15 s or more`);
}

const lost = (at: string): string => `the store cannot be read since ${at}: how far others are is not known`;
const isLive = ({ state }: InstanceView): boolean => state !== 'lapsed';

function printInstances(instances: readonly InstanceView[], io: CliIo): void {
  const rows = instances.map(({ name, state, generation, at }) => [name, state, `generation ${generation}`, at]);
  printTable(rows, NOBODY, io);
}

function problemLines(instance: string, problems: InstanceView['problems']): string[] {
  return problems.map(({ name, code, message }) => printable(`${instance}: ${name}: ${message} (${code})`));
}
