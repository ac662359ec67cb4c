import { GatewayError } from './base/errors.ts';
import type { Secret } from './base/secret.ts';
import { nearest } from './config/nearest.ts';
import { CLIENT_VARIABLES, fileKeyOf, SETTINGS } from './config/settings.ts';
import type { Setting, SettingName, SettingValues } from './config/settings.ts';

/** Plain records as a runtime collects them; an empty text counts as unset. */
export interface ConfigSources {
  /** By flag name without dashes. */
  readonly flags?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The parsed postern.yaml. */
  readonly file?: unknown;
}

export type Origin = 'flag' | 'environment' | 'file' | 'default';

/** One thing wrong with the settings. */
export interface ConfigProblem {
  /** The name the operator used. */
  readonly setting: string;
  readonly message: string;
}

export interface ParsedConfig {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** Accepted, but worth telling the operator. */
  readonly warnings: readonly ConfigProblem[];
}

/** What the gateway runs with: every setting, the keys included. Frozen. */
export interface Config extends SettingValues {
  readonly storage: Secret;
  readonly jwtSecretKey: Secret;
  readonly vaultKeys: Secret;
}

type Raw = string | readonly string[];

interface Found {
  /** As the operator wrote it: `--port`, `PORT` or `port`. */
  readonly name: string;
  readonly raw: Raw;
  readonly origin: Origin;
}

const ROWS = Object.entries(SETTINGS) as unknown as readonly (readonly [SettingName, Setting<unknown>])[];

/**
 * Settings from flags over environment over file, each checked by itself and against the others.
 *
 * @throws GatewayError config_invalid, with every problem in `details.problems`
 */
export function parseConfig(sources: ConfigSources): ParsedConfig {
  const problems: ConfigProblem[] = [...unknownVariables(sources), ...fileProblems(sources)];
  const values: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, Origin>> = {};
  for (const [name, row] of ROWS) {
    const found = find(row, sources);
    origins[name] = found?.origin ?? 'default';
    values[name] = found === undefined ? row.fallback : read(row, found, problems);
  }
  // every row of the table was read above
  const parsed = { values: Object.freeze(values) as SettingValues, origins: origins as ParsedConfig['origins'] };
  const warnings: ConfigProblem[] = [];
  if (problems.length === 0) checkTogether(parsed, problems, warnings);
  if (problems.length > 0) throw invalid(problems);
  return Object.freeze({ ...parsed, warnings });
}

/** An error that names every problem: the first in its message, all of them in its details. */
function invalid(problems: readonly ConfigProblem[]): GatewayError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new GatewayError('config_invalid', `${first?.setting}: ${first?.message}${more}`, {
    hint: 'run `postern config check` with the same settings to see all of them',
    details: { problems },
  });
}

function find(row: Setting<unknown>, { flags = {}, environment = {}, file }: ConfigSources): Found | undefined {
  const key = fileKeyOf(row);
  const candidates: readonly { name: string; raw: Raw | undefined; origin: Origin }[] = [
    ...(row.flag === undefined ? [] : [{ name: `--${row.flag}`, raw: flags[row.flag], origin: 'flag' as const }]),
    ...[row.env, row.alias ?? row.env].map((name) => ({
      name,
      raw: environment[name],
      origin: 'environment' as const,
    })),
    ...(key === undefined ? [] : [{ name: key, raw: rawOf(asRecord(file)?.[key]), origin: 'file' as const }]),
  ];
  for (const { name, raw, origin } of candidates) if (raw !== undefined && raw.length > 0) return { name, raw, origin };
  return undefined;
}

function read(row: Setting<unknown>, { name, raw }: Found, problems: ConfigProblem[]): unknown {
  const parsed = row.parse(raw);
  if ('value' in parsed) return parsed.value;
  const met = row.masked ? 'something else' : JSON.stringify(raw);
  problems.push({ setting: name, message: `expected ${parsed.expected}, met ${met}` });
  return row.fallback;
}

type Scalar = string | number | boolean | bigint;

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean', 'bigint'].includes(typeof value);

/** A YAML scalar or sequence as the text it was written as; undefined for null, and for what is neither. */
function rawOf(value: unknown): Raw | undefined {
  if (isScalar(value)) return String(value);
  return Array.isArray(value) && value.every(isScalar) ? value.map(String) : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** What Kubernetes puts into every pod for a service whose name begins with «postern». */
const SERVICE_LINK =
  /^POSTERN_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_URL = /^(?:tcp|udp|sctp):\/\//;

function unknownVariables({ environment = {} }: ConfigSources): ConfigProblem[] {
  const known = new Set<string>([...ROWS.map(([, { env }]) => env), ...CLIENT_VARIABLES]);
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith('POSTERN_') && !known.has(name) && value !== undefined && value !== '')
    .filter(
      ([name, value = '']) => !SERVICE_LINK.test(name) && !(name.endsWith('_PORT') && SERVICE_LINK_URL.test(value)),
    )
    .map(([name]) => ({ setting: name, message: `no such setting; the nearest is ${nearest(name, known)}` }));
}

function fileProblems({ file }: ConfigSources): ConfigProblem[] {
  if (file === undefined || file === null) return [];
  const record = asRecord(file);
  if (record === undefined) return [{ setting: 'postern.yaml', message: 'expected a mapping of settings' }];
  const known = new Set(ROWS.map(([, row]) => fileKeyOf(row)).filter((key) => key !== undefined));
  return Object.entries(record).flatMap(([key, value]) => {
    if (!known.has(key)) return [{ setting: key, message: `no such key; the nearest is ${nearest(key, known)}` }];
    const fits = value === null || rawOf(value) !== undefined;
    return fits ? [] : [{ setting: key, message: 'expected a value or a list of values, met a mapping' }];
  });
}

function checkTogether(
  { values, origins }: Pick<ParsedConfig, 'values' | 'origins'>,
  problems: ConfigProblem[],
  warnings: ConfigProblem[],
): void {
  const onLoopback = isLoopback(values.host);
  if (!values.authRequired && !onLoopback)
    problems.push({
      setting: SETTINGS.authRequired.env,
      message: `false makes every caller an admin, so the gateway must listen on loopback, not on ${values.host}`,
    });
  if (values.certFile === undefined && values.keyFile !== undefined)
    problems.push({
      setting: SETTINGS.keyFile.env,
      message: `a key without a certificate; set ${SETTINGS.certFile.env}`,
    });
  if (values.keyFilePassword !== undefined && values.keyPasswordFile !== undefined)
    problems.push({ setting: SETTINGS.keyPasswordFile.env, message: 'give the passphrase or the file, not both' });
  if (origins.storage === 'flag' && hasPassword(values.storage))
    problems.push({
      setting: '--storage',
      message: `a password in a flag shows in the process list; use ${SETTINGS.storage.env} or postern.yaml`,
    });
  if (values.jwtSecretKey !== undefined && values.jwtSecretKey.reveal().length < SHORTEST_SECRET)
    (onLoopback ? warnings : problems).push({
      setting: SETTINGS.jwtSecretKey.env,
      message: `shorter than ${SHORTEST_SECRET} characters can be guessed; \`postern vault key\` prints good ones`,
    });
}

/** @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
const SHORTEST_SECRET = 32;

function hasPassword(url: Secret | undefined): boolean {
  return /^[a-z]+:\/\/[^@]*:[^@]+@/.test(url?.reveal() ?? '') || /[?&]password=/.test(url?.reveal() ?? '');
}

/** Whether a listening address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host.toLowerCase());
}

/** Whether several instances may use the store, so that none of them can make up keys for itself. */
export function isSharedStorage(url: Secret | undefined): boolean {
  return url !== undefined && /^(?:redis|postgres)/.test(url.reveal());
}

/** One line of `postern config check`: secrets masked. */
export interface EffectiveSetting {
  readonly name: SettingName;
  readonly env: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly origin: Origin;
}

/** What is in effect and where it came from, safe to print. */
export function effectiveSettings({ values, origins }: ParsedConfig): EffectiveSetting[] {
  return ROWS.map(([name, { env, masked }]) => {
    const value = values[name];
    const shown = value === undefined ? null : masked ? masked(value) : (value as EffectiveSetting['value']);
    return { name, env, value: shown, origin: origins[name] };
  });
}
