import { SETTINGS, effectiveSettings, parseVaultKeys, toGatewayError } from '../../../src/index.ts';
import type { ConfigProblem, EffectiveSetting, ParsedConfig } from '../../../src/index.ts';
import { openKey } from '../open-key.ts';
import { systemClock } from '../clock.ts';
import { refuseMadeUpKeys } from '../data-dir/data-dir.ts';
import { LiveCallerRules } from '../listener/caller-rules.ts';
import { checkCiphers } from '../listener/ciphers.ts';
import { readListenerIdentity } from '../listener/identity.ts';
import { onlyPositional, parseArguments, UsageError } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import type { CliIo } from './io.ts';
import { loadConfig, settingFlags } from './settings.ts';

const HELP = `Usage: postern config check [serve's flags] [--json]

Prints the settings \`postern serve\` would run with and where each comes from, secrets masked, and says everything that
is wrong with them: names, values, and the files and keys they point to. Starts nothing, writes nothing.
Exit codes: 0 fine, 1 something is wrong, 2 the command line makes no sense.`;

/** `postern config check`: what is effective, and what is wrong. */
export async function configCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, settingFlags());
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const command = onlyPositional(parsed, 'check');
  if (command !== 'check') throw new UsageError(`expected check, met ${command}`);
  const { config, problems } = await check(parsed, io);
  const settings = config ? effectiveSettings(config) : [];
  const warnings = config?.warnings ?? [];
  const ok = problems.length === 0;
  if (parsed.flags['json']) io.out(JSON.stringify({ ok, problems, warnings, settings }));
  else {
    for (const row of settings) io.out(settingLine(row));
    for (const { setting, message } of warnings) io.err(`warning: ${setting}: ${message}`);
    for (const { setting, message } of problems) io.err(`wrong: ${setting}: ${message}`);
  }
  return ok ? 0 : 1;
}

interface Checked {
  readonly config?: ParsedConfig;
  readonly problems: readonly ConfigProblem[];
}

async function check(parsed: Arguments, io: CliIo): Promise<Checked> {
  let config: ParsedConfig;
  try {
    config = await loadConfig(parsed, io);
  } catch (thrown) {
    const error = toGatewayError(thrown);
    const named = error.details?.['problems'] as readonly ConfigProblem[] | undefined;
    return { problems: named ?? [{ setting: SETTINGS.configFile.env, message: error.message }] };
  }
  const { values } = config;
  const checks: readonly [string, () => unknown][] = [
    [SETTINGS.storage.env, () => refuseMadeUpKeys(values)],
    [SETTINGS.vaultKeys.env, () => values.vaultKeys && parseVaultKeys(values.vaultKeys)],
    [SETTINGS.certFile.env, () => readListenerIdentity(values, openKey, systemClock)],
    [SETTINGS.clientSubject.env, () => LiveCallerRules.open(values)],
    [SETTINGS.tlsCiphers.env, () => checkCiphers(values, io.runtime)],
  ];
  const problems: ConfigProblem[] = [];
  for (const [setting, run] of checks) {
    try {
      await run();
    } catch (error) {
      problems.push({ setting, message: toGatewayError(error).message });
    }
  }
  return { config, problems };
}

function settingLine({ env, value, origin }: EffectiveSetting): string {
  const shown = value === null ? '-' : Array.isArray(value) ? value.join(', ') || '-' : String(value);
  return `${env.padEnd(31)} ${shown.padEnd(28)} ${origin}`;
}
