import { loadImport } from '../../../../src/index.ts';
import type { Registered } from '../../../../src/index.ts';
import { exists } from '../../files/file-reader.ts';
import { onlyPositional, parseArguments, textFlag } from '../arguments.ts';
import type { Arguments, Flags } from '../arguments.ts';
import { openClient } from '../gateways/client.ts';
import type { CliIo } from '../io.ts';
import { loadConfig, settingFlags } from '../settings.ts';
import { readInputs } from './inputs.ts';
import { carryOut } from './perform.ts';
import { registeredIn } from './registered.ts';
import { printReport } from './report.ts';
import { readSource, foldersAround } from './source.ts';

const HELP = `Usage: postern import FILE [flags]

Registers what a file describes; - reads standard input. Its format is told by its content:
  mcpServers       Claude Desktop, Claude Code (.mcp.json), Cursor, Cline, Inspector
  servers, inputs  VS Code (mcp.json)
  server.json      of an MCP registry, or a list of its servers
  an export        of ContextForge, or of \`postern export\`

  --dry-run                 say what would become of each entry, and what is missing; changes nothing
  --input ID=VALUE          the value of an input of the file, of a server.json, or of a field: NAME.FIELD; repeatable
  --input-file ID=FILE      the same from a file, since flags show in the process list: keys, tokens, PEM; repeatable
  --replace                 change what is registered already; else it is left as it is
  --no-connect              register without reaching anything

Which gateway to speak to; without --url, the local data directory itself:
  --url URL                 a running gateway [POSTERN_URL]
  --token TOKEN             an admin's token [POSTERN_TOKEN]
  --data-dir DIR, --storage URL, --config FILE, --cert-dir DIR, --stdio-command COMMANDS as for serve

  --json                    print the report as JSON
Exit codes: 0 everything is registered, 2 something is missing, refused or could not be reached, 1 nothing could be done.`;

const FLAGS = {
  ...settingFlags(['dataDir', 'storage', 'configFile', 'certDirs', 'stdioCommands']),
  url: { type: 'string' },
  token: { type: 'string' },
  input: { type: 'string', multiple: true },
  'input-file': { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
  replace: { type: 'boolean' },
  'no-connect': { type: 'boolean' },
} as const satisfies Flags;

/** `postern import`: what other programs know of MCP servers, as gateways of ours. */
export async function importCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, FLAGS);
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const path = onlyPositional(parsed, 'a file, or - for standard input');
  const inputs = await readInputs(parsed, io.cwd);
  const text = await readSource(path, io.cwd);
  const { readImport, planImport } = await loadImport();
  const file = readImport(text, {
    environment: (name) => io.env[name],
    input: inputs.get,
    folder: foldersAround(path, io),
  });
  inputs.refuseUnused();

  const isDryRun = parsed.flags['dry-run'] === true;
  const client = isDryRun && (await isNothingThere(parsed, io)) ? undefined : await openClient(parsed, io);
  let changed = false;
  try {
    const registered: readonly Registered[] = client === undefined ? [] : await registeredIn(client);
    const replace = parsed.flags['replace'] === true;
    const plan = planImport(file.entries, { registered, replace, stdioCommands: await commandsOf(parsed, io) });
    const results =
      isDryRun || client === undefined
        ? plan.map((planned) => ({ planned, status: planned.status }))
        : await carryOut(plan, client, { connect: parsed.flags['no-connect'] !== true });
    changed = !isDryRun && results.some(({ status }) => status === 'imported' || status === 'replaced');
    printReport({ file, results, isDryRun }, { isJson: parsed.flags['json'] === true }, io);
    return results.every(({ status }) => DONE.has(status)) ? 0 : 2;
  } finally {
    await client?.close(changed);
  }
}

const DONE = new Set(['imported', 'replaced', 'unchanged', 'exists']);

const isRemote = (parsed: Arguments, io: CliIo): boolean => Boolean(textFlag(parsed, 'url') ?? io.env['POSTERN_URL']);

/** A dry run must not make a data directory, only to find it empty. */
async function isNothingThere(parsed: Arguments, io: CliIo): Promise<boolean> {
  if (isRemote(parsed, io)) return false;
  const { values } = await loadConfig(parsed, io);
  return values.storage === undefined && !(await exists(values.dataDir));
}

/** What the gateway may start; a gateway elsewhere says so only when it is asked to. */
async function commandsOf(parsed: Arguments, io: CliIo): Promise<readonly string[] | undefined> {
  if (isRemote(parsed, io)) return undefined;
  return (await loadConfig(parsed, io)).values.stdioCommands;
}
