import { GatewayError } from '../../../../src/index.ts';
import { onlyPositional, parseArguments, refusePositionals, UsageError } from '../arguments.ts';
import type { Arguments, Flags } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { settingFlags } from '../settings.ts';
import { openClient } from './client.ts';
import type { ApiClient } from './client.ts';
import { bodyOf, fieldFlags, fieldHelp } from './fields.ts';
import { printFields, printGateways } from './print.ts';

const HELP = `Usage: postern gateways COMMAND [flags]

  list                 all of them
  add NAME URL         connects to an MCP server, lists what it offers, and registers it
  show GATEWAY         everything known of one; GATEWAY is its id, slug or name
  update GATEWAY       changes the fields that are given; --clear FLAG empties one
  remove GATEWAY
  activate GATEWAY, deactivate GATEWAY
  refresh GATEWAY      reads its listing again
  check GATEWAY        one handshake, told in full: chain, names, dates, what we presented, why it failed

Which gateway to speak to; without --url, the local data directory itself:
  --url URL            a running gateway [POSTERN_URL]
  --token TOKEN        an admin's token [POSTERN_TOKEN]
  --data-dir DIR, --storage URL, --config FILE, --cert-dir DIR as for serve

Fields, for add and update:
${fieldHelp}
  --clear FLAG                  update: empty the field of that flag (--clear ca); repeatable
  --no-connect                  add: register without reaching it

  --json               print the answer as JSON
Exit codes: 0 done, 1 failed (check: the handshake failed), 2 the command line makes no sense.`;

const LOCAL_FLAGS = settingFlags(['dataDir', 'storage', 'configFile', 'certDirs']);
const CLIENT_FLAGS = { ...LOCAL_FLAGS, url: { type: 'string' }, token: { type: 'string' } } as const satisfies Flags;
const ADD_FLAGS = { ...fieldFlags, 'no-connect': { type: 'boolean' } } as const satisfies Flags;
const UPDATE_FLAGS = { ...fieldFlags, clear: { type: 'string', multiple: true } } as const satisfies Flags;

const PATH = '/v1/gateways';

interface Subcommand {
  readonly flags: Flags;
  /** True when it changes what is stored. */
  readonly writes: boolean;
  run(client: ApiClient, parsed: Arguments, io: CliIo): Promise<number>;
}

const read = (run: Subcommand['run']): Subcommand => ({ flags: {}, writes: false, run });
const write = (run: Subcommand['run'], flags: Flags = {}): Subcommand => ({ flags, writes: true, run });

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: read(async (client, parsed, io) => {
    refusePositionals(parsed);
    const gateways = await list(client);
    if (parsed.flags['json']) io.out(JSON.stringify(gateways));
    else printGateways(gateways, io);
    return 0;
  }),
  add: write(async (client, parsed, io) => {
    const [name, url, ...more] = parsed.positionals;
    const body = {
      ...(name !== undefined && { name }),
      ...(url !== undefined && { url }),
      ...(await bodyOf(parsed, io.cwd)),
    };
    if (more.length > 0 || !('name' in body) || !('url' in body)) throw new UsageError('expected add NAME URL');
    const query = parsed.flags['no-connect'] ? '?connect=false' : '';
    return say(await client.send('POST', PATH + query, body), parsed, io);
  }, ADD_FLAGS),
  show: read(async (client, parsed, io) => say(await find(client, parsed), parsed, io)),
  update: write(async (client, parsed, io) => {
    const clear = (parsed.flags['clear'] ?? []) as readonly string[];
    const body = await bodyOf(parsed, io.cwd, clear);
    if (Object.keys(body).length === 0) throw new UsageError('expected a field to change');
    return say(await client.send('PUT', await pathOf(client, parsed), body), parsed, io);
  }, UPDATE_FLAGS),
  remove: write(async (client, parsed, io) => {
    const answer = await client.send('DELETE', await pathOf(client, parsed));
    return say(answer ?? { removed: onlyPositional(parsed, 'a gateway') }, parsed, io);
  }),
  activate: write((client, parsed, io) => setActive(client, parsed, io, true)),
  deactivate: write((client, parsed, io) => setActive(client, parsed, io, false)),
  refresh: write(async (client, parsed, io) =>
    say(await client.send('POST', `${await pathOf(client, parsed)}/refresh`), parsed, io),
  ),
  check: read(async (client, parsed, io) => {
    const report = await client.send('POST', `${await pathOf(client, parsed)}/check`);
    say(report, parsed, io);
    return (report as { ok?: boolean }).ok === true ? 0 : 1;
  }),
};

/** `postern gateways`: what the REST API offers, from the shell. */
export async function gatewaysCommand([name, ...argv]: readonly string[], io: CliIo): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    io.out(HELP);
    return name === undefined ? 2 : 0;
  }
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined)
    throw new UsageError(`expected one of ${Object.keys(SUBCOMMANDS).join(', ')}, met ${name}`);
  const parsed = parseArguments(argv, { ...CLIENT_FLAGS, ...subcommand.flags });
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const client = await openClient(parsed, io);
  try {
    return await subcommand.run(client, parsed, io);
  } finally {
    await client.close(subcommand.writes);
  }
}

interface Listed {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

async function list(client: ApiClient): Promise<readonly Listed[]> {
  return (await client.send('GET', `${PATH}?include_inactive=true`)) as readonly Listed[];
}

async function find(client: ApiClient, parsed: Arguments): Promise<Listed> {
  const wanted = onlyPositional(parsed, 'the id, slug or name of a gateway');
  const all = await list(client);
  const found = (['id', 'slug', 'name'] as const)
    .map((key) => all.find((gateway) => gateway[key] === wanted))
    .find(Boolean);
  if (found !== undefined) return found;
  throw new GatewayError('not_found', `no gateway has the id, slug or name ${wanted}`, {
    hint: '`postern gateways list` shows them',
  });
}

async function pathOf(client: ApiClient, parsed: Arguments): Promise<string> {
  return `${PATH}/${encodeURIComponent((await find(client, parsed)).id)}`;
}

async function setActive(client: ApiClient, parsed: Arguments, io: CliIo, active: boolean): Promise<number> {
  return say(await client.send('POST', `${await pathOf(client, parsed)}/state?activate=${active}`), parsed, io);
}

function say(answer: unknown, { flags }: Arguments, io: CliIo): number {
  if (flags['json']) io.out(JSON.stringify(answer));
  else printFields(answer as Readonly<Record<string, unknown>>, io);
  return 0;
}
