import { resolve } from 'node:path';
import { readTextFile } from '../../files/file-reader.ts';
import { textFlag, UsageError } from '../arguments.ts';
import type { Arguments, Flags } from '../arguments.ts';
import { CLIENT_HELP, Collection, runSubcommand, say, write } from '../collection.ts';
import type { Subcommand } from '../collection.ts';
import { printTable } from '../gateways/print.ts';
import type { Command } from '../io.ts';

const HELP = `Usage: postern servers COMMAND [flags]

  list                 all virtual servers
  add NAME             makes one, served at /servers/{slug}/mcp
  show SERVER          everything known of one; SERVER is its id, slug or name
  update SERVER        changes the fields that are given
  remove SERVER
  activate SERVER, deactivate SERVER

${CLIENT_HELP}

Fields, for add and update:
  --gateway SLUG                a gateway it is made of, or a pattern as team-*; repeatable
  --description TEXT            what it is for
  --client-auth MODE            required: callers have to show a certificate; none: only a token counts; optional: either
  --file FILE                   JSON with any field of the REST API; the flags above go over it

  --json               print the answer as JSON
Exit codes: 0 done, 1 failed, 2 the command line makes no sense.`;

const FIELD_FLAGS = {
  gateway: { type: 'string', multiple: true },
  description: { type: 'string' },
  'client-auth': { type: 'string' },
  file: { type: 'string' },
} as const satisfies Flags;

const servers = new Collection('/v1/servers', 'server', (items, io) =>
  printTable(
    items.map(({ slug, enabled, gateways, associatedTools }) => [
      slug,
      enabled ? 'active' : 'inactive',
      `${(associatedTools as unknown[]).length} tools`,
      (gateways as string[]).join(', '),
    ]),
    'there is no virtual server',
    io,
  ),
);

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  ...servers.subcommands,
  add: write(async (client, parsed, io) => {
    const [name, ...more] = parsed.positionals;
    const body = { ...(await bodyOf(parsed, io.cwd)), ...(name !== undefined && { name }) };
    if (more.length > 0 || !('name' in body)) throw new UsageError('expected add NAME');
    return say(await client.send('POST', servers.path, body), parsed, io);
  }, FIELD_FLAGS),
  update: write(async (client, parsed, io) => {
    const body = await bodyOf(parsed, io.cwd);
    if (Object.keys(body).length === 0) throw new UsageError('expected a field to change');
    return say(await client.send('PUT', await servers.pathOf(client, parsed), body), parsed, io);
  }, FIELD_FLAGS),
};

/** `postern servers`: virtual servers, from the shell. */
export const serversCommand: Command = (argv, io) => runSubcommand(SUBCOMMANDS, HELP, argv, io);

async function bodyOf(parsed: Arguments, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const file = textFlag(parsed, 'file');
  const gateways = parsed.flags['gateway'] as readonly string[] | undefined;
  const { description, 'client-auth': clientAuth } = parsed.flags;
  return {
    ...(file !== undefined && parseObject(await readTextFile(resolve(cwd, file), file), file)),
    ...(gateways && { members: gateways.map((gateway) => ({ gateway })) }),
    ...(description !== undefined && { description }),
    ...(clientAuth !== undefined && { clientAuth }),
  };
}

function parseObject(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below, without the parser's message: it quotes the file
  }
  throw new UsageError(`expected a JSON object in ${file}`);
}
