import { toGatewayError } from '../../../../src/index.ts';
import { checkCertificates } from './check.ts';
import { HELP } from './help.ts';
import { makeAuthority, makeClient, makeGateway, makeServer, type Made } from './make.ts';
import { checkPluginName, parseClientName } from './names.ts';
import { parseOptions, type CertsIo, type CertsOptions } from './options.ts';
import { readPluginNames } from './plugin-config.ts';
import { reportChecked, reportMade } from './report.ts';
import { UsageError } from './usage.ts';

/**
 * `postern certs`: makes and checks the certificates of a gateway, its plugins and its callers. Never overwrites
 * anything. Returns the exit code: 0 done or already there, 1 failed or (for `check`) something needs attention,
 * 2 the command line makes no sense.
 */
export async function certsCommand(argv: readonly string[], io: CertsIo): Promise<number> {
  try {
    const options = parseOptions(argv, io);
    if (!options) io.out(HELP);
    else if (options.command === 'check') return await check(options, io);
    else reportMade(await make(options, io), options.json, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`postern certs: ${error.message}`);
      io.err('`postern certs --help` tells what can be said');
      return 2;
    }
    const { code, message, hint } = toGatewayError(error);
    if (argv.includes('--json')) io.err(JSON.stringify({ error: { code, message, hint } }));
    else io.err(`postern certs: ${message} (${code})${hint ? `\n  ${hint}` : ''}`);
    return 1;
  }
}

async function check({ directory, warnDays, json }: CertsOptions, io: CertsIo): Promise<number> {
  const checked = await checkCertificates(directory, Date.now(), warnDays);
  return reportChecked(checked, warnDays, json, io) ? 0 : 1;
}

async function make(options: CertsOptions, io: CertsIo): Promise<readonly Made[]> {
  const nowMs = Date.now();
  const { command, name } = options;
  // Names are judged before anything is made.
  if (command === 'server') checkPluginName(name);
  if (command === 'client') parseClientName(name);
  const plugins = command === 'all' ? await readPluginNames(options.pluginConfig) : undefined;
  const { made, authority } = await makeAuthority(options, nowMs);
  if (command === 'ca') return [made];
  if (command === 'gateway') return [made, await makeGateway(options, authority, nowMs)];
  if (command === 'client') return [made, await makeClient(name, options, authority, nowMs)];
  if (!plugins) return [made, await makeServer(name, options, options, authority, nowMs)];
  if (plugins.isExample) io.err(`there is no ${options.pluginConfig}: making certificates for two example plugins`);
  else if (plugins.names.length === 0) io.err(`${options.pluginConfig} names no plugin of kind: external`);
  const leaves = [
    makeGateway(options, authority, nowMs),
    ...plugins.names.map((plugin) => makeServer(plugin, options, options, authority, nowMs)),
  ];
  return [made, ...(await Promise.all(leaves))];
}
