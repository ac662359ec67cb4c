import { resolve } from 'node:path';
import { GatewayError, SETTING_ROWS, parseConfig } from '../../../src/index.ts';
import type { ParsedConfig, Setting, SettingName } from '../../../src/index.ts';
import { exists, readTextFile } from '../files/file-reader.ts';
import type { Arguments, Flags } from './arguments.ts';
import type { CliIo } from './io.ts';

const DEFAULT_FILE = 'postern.yaml';

/** The settings that have flags, as a command line parser takes them. */
export function settingFlags(names: readonly SettingName[] = SETTING_ROWS.map(([name]) => name)): Flags {
  const chosen = SETTING_ROWS.filter(([name]) => names.includes(name)).flatMap(([, { flag, repeatable }]) =>
    flag === undefined ? [] : [[flag, { type: 'string', multiple: repeatable ?? false }] as const],
  );
  return Object.fromEntries(chosen);
}

/**
 * Settings from flags over environment over postern.yaml.
 *
 * @throws GatewayError config_invalid, file_refused
 */
export async function loadConfig({ flags }: Arguments, { env, cwd }: CliIo): Promise<ParsedConfig> {
  const texts = Object.fromEntries(Object.entries(flags).filter(([, value]) => typeof value !== 'boolean'));
  const named = texts['config'] ?? (env['POSTERN_CONFIG'] || undefined);
  const file = await readSettingsFile(cwd, typeof named === 'string' ? named : undefined);
  // switches were filtered out
  return parseConfig({ flags: texts as Record<string, string | readonly string[]>, environment: env, file });
}

async function readSettingsFile(cwd: string, named: string | undefined): Promise<unknown> {
  const path = resolve(cwd, named ?? DEFAULT_FILE);
  if (named === undefined && !(await exists(path))) return undefined;
  const text = await readTextFile(path);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem === undefined) return document.toJS({ maxAliasCount: 0 }) as unknown;
  // its message quotes the line, which may hold a secret
  const line = problem.linePos?.[0].line;
  throw new GatewayError('config_invalid', `${path} is not YAML: ${problem.code}${line ? ` in line ${line}` : ''}`);
}

/** The help of settings: flag, meaning, and the environment name beside it. */
export function settingHelp(): string {
  const withFlag = SETTING_ROWS.filter(([, { flag }]) => flag !== undefined);
  const others = SETTING_ROWS.filter(([, { flag }]) => flag === undefined);
  const lines = [
    ...withFlag.map(([, row]) => helpLine(`--${row.flag} ${row.placeholder}`, `${describe(row)} [${row.env}]`)),
    '',
    'By environment or postern.yaml only:',
    ...others.map(([, row]) => helpLine(row.env, describe(row))),
  ];
  return lines.join('\n');
}

function describe({ help, fallback }: Setting<unknown>): string {
  const isPlain = typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean';
  return isPlain ? `${help} (${fallback})` : help;
}

const helpLine = (name: string, text: string): string => `  ${name.padEnd(31)} ${text}`;
