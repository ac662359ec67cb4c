import { GatewayError } from '../../../src/index.ts';
import type { FleetView } from '../../../src/index.ts';
import { refusePositionals, secondsFlag, textFlag, UsageError } from './arguments.ts';
import type { Arguments, Flags } from './arguments.ts';
import { CLIENT_HELP, Collection, runOverClient } from './collection.ts';
import type { ApiClient } from './gateways/client.ts';
import { printGateways } from './gateways/print.ts';
import type { CliIo, Command } from './io.ts';
import { poll } from './poll.ts';
import { isSettled, judge } from './rotate/judge.ts';
import type { Expected } from './rotate/judge.ts';
import { NOBODY, printFleet, printVerdict } from './rotate/print.ts';

const HELP = `Usage: postern rotate [flags]

Has every instance of the fleet read every record and every certificate file again. What changed is put in force
without losing a call, what cannot be used keeps its last good form.

  --gateway GATEWAY    only this one; GATEWAY is its id, slug or name
  --cut                also ends every connection opened before, calls on them included, as after a stolen key
  --wait               until every live instance serves it; names those that do not, and why
  --timeout SECONDS    how long to wait (60)

Instead of reading again, for one --gateway:
  --promote            its next identity becomes the current one, which retires
  --retire             drops the retiring identity, and ends connections that only its trust allowed
  --rollback           brings back the TLS side as it was before its last change

  --status             changes nothing: shows how far each instance is

${CLIENT_HELP}

  --json               print the answer of the REST API, after --wait the last one
Exit codes: 0 done, 1 failed (--wait: an instance failed or was late), 2 the command line makes no sense.`;

const ACTIONS = ['promote', 'retire', 'rollback'] as const;
const FLAGS = {
  gateway: { type: 'string' },
  cut: { type: 'boolean' },
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
  promote: { type: 'boolean' },
  retire: { type: 'boolean' },
  rollback: { type: 'boolean' },
  status: { type: 'boolean' },
} as const satisfies Flags;
const TIMEOUT_SECONDS = 60;
const PATH = '/v1/rotation';

const gateways = new Collection('/v1/gateways', 'gateway', printGateways);

/** `postern rotate`: one write that has the whole fleet read anew. */
export const rotateCommand: Command = (argv, io) =>
  // what it changes, instances take over by themselves: that is what is told of
  runOverClient({ flags: FLAGS, writes: false, run: rotate }, HELP, argv, io);

async function rotate(client: ApiClient, parsed: Arguments, io: CliIo): Promise<number> {
  const { action, timeoutSeconds } = readIntent(parsed);
  const { flags } = parsed;
  if (flags['status']) return showStatus(await readFleet(client), parsed, io);
  const named = textFlag(parsed, 'gateway');
  const gateway = named === undefined ? undefined : await gateways.find(client, named);
  const body = { action, ...(gateway && { gateway: gateway.id }), ...(flags['cut'] === true && { cut: true }) };
  const answer = (await client.send('POST', PATH, body)) as FleetView;
  const number = answer.generation?.number ?? 0;
  if (flags['wait']) return wait(client, { generation: number, gateway: gateway?.slug }, timeoutSeconds, parsed, io);
  if (flags['json']) io.out(JSON.stringify(answer));
  else {
    io.out(`generation ${number} is written`);
    if (!answer.instances.some(({ state }) => state !== 'lapsed')) io.err(NOBODY);
  }
  return 0;
}

/** @throws UsageError for flags that do not go together */
function readIntent(parsed: Arguments): { action: string; timeoutSeconds: number } {
  refusePositionals(parsed);
  const { flags } = parsed;
  const timeoutSeconds = secondsFlag(parsed, 'timeout');
  const [action, another] = ACTIONS.filter((name) => flags[name]);
  if (another !== undefined) throw new UsageError(`expected one of --${ACTIONS.join(', --')}`);
  if (action !== undefined && textFlag(parsed, 'gateway') === undefined)
    throw new UsageError(`expected the --gateway to ${action}`);
  if (action !== undefined && flags['cut'])
    throw new UsageError(`--cut does not go with --${action}, which cuts what is trusted no more by itself`);
  if (timeoutSeconds !== undefined && !flags['wait']) throw new UsageError('--timeout goes with --wait');
  const others = Object.keys(FLAGS).filter((name) => name !== 'status' && flags[name] !== undefined);
  if (flags['status'] && others.length > 0) throw new UsageError(`--${others.join(', --')} does not go with --status`);
  return { action: action ?? 'reread', timeoutSeconds: timeoutSeconds ?? TIMEOUT_SECONDS };
}

async function readFleet(client: ApiClient): Promise<FleetView> {
  return (await client.send('GET', PATH)) as FleetView;
}

function showStatus(view: FleetView, { flags }: Arguments, io: CliIo): number {
  if (flags['json']) io.out(JSON.stringify(view));
  else printFleet(view, io);
  return 0;
}

async function wait(
  client: ApiClient,
  expected: Expected,
  timeoutSeconds: number,
  { flags }: Arguments,
  io: CliIo,
): Promise<number> {
  const seen = await poll(
    () => readFleet(client).catch(unlessPassing),
    (view) => !(view instanceof GatewayError) && isSettled(view, expected),
    { timeoutMs: timeoutSeconds * 1000 },
  );
  if (seen instanceof GatewayError) throw seen;
  const verdict = judge(seen, expected);
  if (flags['json']) io.out(JSON.stringify(seen));
  else printVerdict(seen, verdict, timeoutSeconds, io);
  return isSettled(seen, expected) && verdict.failed.length === 0 ? 0 : 1;
}

/** The instance that is asked may be the one that restarts. */
function unlessPassing(error: unknown): GatewayError {
  if (error instanceof GatewayError && error.facts.retryable) return error;
  throw error;
}
