import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KEY_TYPES } from '../../../../src/index.ts';
import type { KeyType } from '../../../../src/index.ts';
import { isDnsName, isIpAddress } from './names.ts';
import { UsageError } from './usage.ts';

const DEFAULT_DAYS = 825;
const MAX_DAYS = 36_500;

const COMMANDS = ['ca', 'gateway', 'server', 'client', 'all', 'check'] as const;

/** Where the command runs and where its lines go. */
export interface CertsIo {
  out(line: string): void;
  err(line: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface CertsOptions {
  readonly command: (typeof COMMANDS)[number];
  /** What `server` and `client` are for; empty for the other commands. */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly days: number;
  readonly keyType: KeyType;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly warnDays: number;
  /** Absolute. */
  readonly pluginConfig: string;
  readonly json: boolean;
}

const FLAGS = {
  dir: { type: 'string' },
  days: { type: 'string' },
  'key-type': { type: 'string' },
  dns: { type: 'string', multiple: true },
  ip: { type: 'string', multiple: true },
  'warn-days': { type: 'string' },
  'plugin-config': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Flag = keyof typeof FLAGS;

const MAKING = ['dir', 'days', 'key-type', 'json'] as const;

/** Which flags each command takes: a flag that would do nothing is refused. */
const TAKES: Readonly<Record<CertsOptions['command'], readonly Flag[]>> = {
  ca: MAKING,
  gateway: MAKING,
  server: [...MAKING, 'dns', 'ip'],
  client: MAKING,
  all: [...MAKING, 'plugin-config'],
  check: ['dir', 'warn-days', 'json'],
};

/**
 * The command line and environment as options; undefined when help is asked for.
 *
 * @throws UsageError for unknown commands and flags, and values out of range.
 */
export function parseOptions(argv: readonly string[], io: CertsIo): CertsOptions | undefined {
  const { values, positionals } = parse(argv);
  if (values.help) return undefined;
  const [word, name = '', ...rest] = positionals;
  const command = COMMANDS.find((known) => known === word);
  if (!command) throw new UsageError(word ? `unknown command ${word}` : 'expected a command');
  const named = command === 'server' || command === 'client';
  if (named && name === '') throw new UsageError(`${command} needs a NAME`);
  if (rest.length > 0 || (!named && name !== '')) throw new UsageError(`${command} was given too many names`);
  const useless = Object.keys(values).find((flag) => !TAKES[command].some((taken) => taken === flag));
  if (useless) throw new UsageError(`--${useless} means nothing to ${command}`);
  return {
    command,
    name,
    directory: resolve(io.cwd, values.dir ?? 'certs/mcp'),
    days: wholeNumber(...pick(values.days, '--days', io.env['MCP_CERT_DAYS'], 'MCP_CERT_DAYS'), 1) ?? DEFAULT_DAYS,
    keyType: keyType(values['key-type'] ?? 'rsa4096'),
    dnsNames: all(values.dns ?? [], isDnsName, '--dns', 'a DNS name'),
    ipAddresses: all(values.ip ?? [], isIpAddress, '--ip', 'an IP address'),
    warnDays: wholeNumber(values['warn-days'], '--warn-days', 0) ?? 30,
    pluginConfig: resolve(
      io.cwd,
      values['plugin-config'] ?? (io.env['MCP_PLUGIN_CONFIG'] || 'plugins/external/config.yaml'),
    ),
    json: values.json ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function pick(flag: string | undefined, flagName: string, env: string | undefined, envName: string) {
  return flag === undefined ? ([env || undefined, envName] as const) : ([flag, flagName] as const);
}

function wholeNumber(text: string | undefined, source: string, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= MAX_DAYS) return value;
  throw new UsageError(`${source} takes whole days from ${least} to ${MAX_DAYS}, not ${text}`);
}

function keyType(text: string): KeyType {
  const known = Object.keys(KEY_TYPES) as KeyType[]; // the keys of a Record<KeyType, …>
  const found = known.find((type) => type === text.toLowerCase());
  if (!found) throw new UsageError(`--key-type takes ${known.join(', ')}, not ${text}`);
  return found;
}

function all(values: readonly string[], is: (value: string) => boolean, flag: string, what: string): readonly string[] {
  const wrong = values.find((value) => !is(value));
  if (wrong !== undefined) throw new UsageError(`${flag} takes ${what}, not ${wrong}`);
  return values;
}
