import { GatewayError } from './base/errors.ts';
import { asFields } from './base/fields.ts';
import type { Secret } from './base/secret.ts';
import { checkTogether } from './config/check-together.ts';
import type { ConfigProblem } from './config/problem.ts';
import { fileKeyOf } from './config/setting.ts';
import type { Setting } from './config/setting.ts';
import { SETTING_ROWS } from './config/settings.ts';
import type { SettingName, SettingValues } from './config/settings.ts';
import { unknownKeys, unknownVariables } from './config/unknown-names.ts';
import { rawOf } from './config/values.ts';
import type { Raw } from './config/values.ts';

/** Plain records as a runtime collects them; an empty text counts as unset. */
export interface ConfigSources {
  /** By flag name without dashes. */
  readonly flags?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The parsed postern.yaml. */
  readonly file?: unknown;
}

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

/** Settings that were read and checked. */
export interface ParsedConfig {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** Accepted, but worth telling the operator. */
  readonly warnings: readonly ConfigProblem[];
}

/** What the gateway runs with; its vault keys come from the platform, since they may change while it runs. Frozen. */
export interface Config extends SettingValues {
  readonly storage: Secret;
}

interface Found {
  /** As the operator wrote it: `--port`, `PORT` or `port`. */
  readonly name: string;
  readonly raw: Raw;
  readonly origin: Origin;
}

/**
 * Settings from flags over environment over file, each checked by itself and against the others.
 *
 * @throws GatewayError config_invalid, with every problem in `details.problems`
 */
export function parseConfig(sources: ConfigSources): ParsedConfig {
  const { environment = {}, file } = sources;
  const problems = [...unknownVariables(environment), ...unknownKeys(file)];
  const values: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, Origin>> = {};
  for (const [name, row] of SETTING_ROWS) {
    const found = find(row, sources);
    origins[name] = found?.origin ?? 'default';
    values[name] = found === undefined ? row.fallback : read(row, found, problems);
  }
  // every row of the table was read above
  const parsed = { values: Object.freeze(values) as SettingValues, origins: origins as ParsedConfig['origins'] };
  if (problems.length > 0) throw invalid(problems);
  const together = checkTogether(parsed.values, (name) => origins[name] === 'flag');
  if (together.problems.length > 0) throw invalid(together.problems);
  return Object.freeze({ ...parsed, warnings: together.warnings });
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
    ...(key === undefined ? [] : [{ name: key, raw: rawOf(asFields(file)?.[key]), origin: 'file' as const }]),
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

/** Whether several instances may use the store, so that none of them can make up keys for itself. */
export function isSharedStorage(url: Secret | undefined): boolean {
  return url !== undefined && /^(?:redis|postgres|d1:|cf-kv:|deno-kv:https?:)/.test(url.reveal());
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
  return SETTING_ROWS.map(([name, { env, masked }]) => {
    const value = values[name];
    const shown = value === undefined ? null : masked ? masked(value) : (value as EffectiveSetting['value']);
    return { name, env, value: shown, origin: origins[name] };
  });
}
