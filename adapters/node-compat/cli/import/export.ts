import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GatewayError, exportOf } from '../../../../src/index.ts';
import { parseArguments, refusePositionals, textFlag } from '../arguments.ts';
import type { Flags } from '../arguments.ts';
import { openClient } from '../gateways/client.ts';
import type { CliIo } from '../io.ts';
import { settingFlags } from '../settings.ts';
import { viewsOf } from './registered.ts';

const HELP = `Usage: postern export [flags]

Prints the gateways and virtual servers without their secrets, for \`postern import\`.

  --output FILE      write it there; a file that is there is replaced

Which gateway to speak to; without --url, the local data directory itself:
  --url URL          a running gateway [POSTERN_URL]
  --token TOKEN      an admin's token [POSTERN_TOKEN]
  --data-dir DIR, --storage URL, --config FILE as for serve`;

const FLAGS = {
  ...settingFlags(['dataDir', 'storage', 'configFile', 'certDirs', 'stdioCommands']),
  url: { type: 'string' },
  token: { type: 'string' },
  output: { type: 'string' },
} as const satisfies Flags;

/** `postern export`: what is registered, as a file without secrets. */
export async function exportCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, FLAGS);
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  refusePositionals(parsed);
  const client = await openClient(parsed, io);
  try {
    const gateways = await viewsOf(client, 'gateway');
    const [readable, unreadable] = [gateways.filter(isReadable), gateways.filter((view) => !isReadable(view))];
    for (const { id } of unreadable) io.err(`left out: gateway ${String(id)}, whose record cannot be read`);
    const text = JSON.stringify(exportOf(readable, await viewsOf(client, 'server'), new Date()), null, 2);
    const output = textFlag(parsed, 'output');
    if (output === undefined) io.out(text);
    else await write(output, `${text}\n`, io.cwd);
    return 0;
  } finally {
    await client.close(false);
  }
}

/** One whose record cannot be believed is shown without what it is about. */
const isReadable = ({ url, command }: Readonly<Record<string, unknown>>): boolean => Boolean(url) || Boolean(command);

async function write(path: string, text: string, cwd: string): Promise<void> {
  // addresses and user names concern nobody else
  await writeFile(resolve(cwd, path), text, { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    throw new GatewayError('file_refused', `${path} cannot be written (${error.code ?? 'unknown'})`, {
      hint: 'check the folder and who owns it',
    });
  });
}
