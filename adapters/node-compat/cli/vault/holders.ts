import { GatewayError, Generations, Instances } from '../../../../src/index.ts';
import type { InstanceState, RecordStore } from '../../../../src/index.ts';
import { systemClock } from '../../clock.ts';
import type { CliIo } from '../io.ts';
import { poll } from '../poll.ts';

/** Whoever is in service at the moment. */
export async function liveInstances(records: RecordStore): Promise<readonly InstanceState[]> {
  return (await new Instances(records, systemClock).list()).filter(({ alive }) => alive);
}

/** Says in a generation that keys are to be read again, and waits until every live instance holds this one. */
export async function handOut(
  records: RecordStore,
  kid: string,
  timeoutSeconds: number,
): Promise<readonly InstanceState[]> {
  const note = { by: 'postern:vault', reason: 'request', scope: 'all' } as const;
  await new Generations(records, systemClock).write([], note);
  const live = await poll(
    () => liveInstances(records),
    (instances) => lacking(instances, kid).length === 0,
    { timeoutMs: timeoutSeconds * 1000 },
  );
  refuseWhereMissing(
    live,
    kid,
    `they were given ${timeoutSeconds} s to read the key file again; what do their logs say?`,
  );
  return live;
}

/** @throws GatewayError vault_key_not_held naming the instances that could not read what is sealed with this key */
export function refuseWhereMissing(live: readonly InstanceState[], kid: string, hint: string): void {
  const names = lacking(live, kid);
  if (names.length === 0) return;
  throw new GatewayError(
    'vault_key_not_held',
    `nothing was sealed anew: ${names.join(', ')} does not hold vault key ${kid}`,
    {
      hint,
      details: { kid, instances: names },
    },
  );
}

/** Names on standard error who writes under another key all the same. */
export function warnOfOtherPrimaries(live: readonly InstanceState[], kid: string, io: CliIo): void {
  for (const { name, vaultKeys } of live)
    if (vaultKeys[0] !== kid)
      io.err(`${name} still seals with ${vaultKeys[0] ?? 'no key'}: start it with ${kid} first, then rotate again`);
}

const lacking = (live: readonly InstanceState[], kid: string): string[] =>
  live.filter(({ vaultKeys }) => !vaultKeys.includes(kid)).map(({ name }) => name);
