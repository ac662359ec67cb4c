import { UsageError } from '../arguments.ts';
import type { Flags } from '../arguments.ts';
import { CLIENT_HELP, Collection, read, runSubcommand, say, write } from '../collection.ts';
import type { Subcommand } from '../collection.ts';
import type { Command } from '../io.ts';
import { bodyOf, fieldFlags, fieldHelp } from './fields.ts';
import { printGateways } from './print.ts';

const HELP = `Usage: postern gateways COMMAND [flags]

  list                 all of them
  add NAME URL         connects to an MCP server, lists what it offers, and registers it
  add NAME --command CMD   starts one, and registers it likewise
  show GATEWAY         everything known of one; GATEWAY is its id, slug or name
  update GATEWAY       changes the fields that are given; --clear FLAG empties one
  remove GATEWAY
  activate GATEWAY, deactivate GATEWAY
  refresh GATEWAY      reads its listing again
  check GATEWAY        one handshake, told in full: chain, names, dates, what we presented, why it failed

${CLIENT_HELP}

Fields, for add and update:
${fieldHelp}
  --clear FLAG                  update: empty the field of that flag (--clear ca); repeatable
  --no-connect                  add: register without reaching it

  --json               print the answer as JSON
Exit codes: 0 done, 1 failed (check: the handshake failed), 2 the command line makes no sense.`;

const ADD_FLAGS = { ...fieldFlags, 'no-connect': { type: 'boolean' } } as const satisfies Flags;
const UPDATE_FLAGS = { ...fieldFlags, clear: { type: 'string', multiple: true } } as const satisfies Flags;

const PATH = '/v1/gateways';

const gateways = new Collection(PATH, 'gateway', printGateways);

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  ...gateways.subcommands,
  add: write(async (client, parsed, io) => {
    const [name, url, ...more] = parsed.positionals;
    const body = {
      ...(name !== undefined && { name }),
      ...(url !== undefined && { url }),
      ...(await bodyOf(parsed, io)),
    };
    if (more.length > 0 || !('name' in body) || 'url' in body === 'command' in body)
      throw new UsageError('expected add NAME URL, or add NAME --command CMD');
    const query = parsed.flags['no-connect'] ? '?connect=false' : '';
    return say(await client.send('POST', PATH + query, body), parsed, io);
  }, ADD_FLAGS),
  update: write(async (client, parsed, io) => {
    const clear = (parsed.flags['clear'] ?? []) as readonly string[];
    const body = await bodyOf(parsed, io, clear);
    if (Object.keys(body).length === 0) throw new UsageError('expected a field to change');
    return say(await client.send('PUT', await gateways.pathOf(client, parsed), body), parsed, io);
  }, UPDATE_FLAGS),
  refresh: write(async (client, parsed, io) =>
    say(await client.send('POST', `${await gateways.pathOf(client, parsed)}/refresh`), parsed, io),
  ),
  check: read(async (client, parsed, io) => {
    const report = await client.send('POST', `${await gateways.pathOf(client, parsed)}/check`);
    say(report, parsed, io);
    return (report as { ok?: boolean }).ok === true ? 0 : 1;
  }),
};

/** `postern gateways`: what the REST API offers, from the shell. */
export const gatewaysCommand: Command = (argv, io) => runSubcommand(SUBCOMMANDS, HELP, argv, io);
