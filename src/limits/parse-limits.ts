import { refuseWrong } from '../base/checks.ts';
import { GatewayError } from '../base/errors.ts';
import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { WHO } from '../identity/who.ts';
import type { Who } from '../identity/who.ts';
import { COUNTED_BY } from './limit-rule.ts';
import type { CountedBy, LimitRule, Rate } from './limit-rule.ts';

const PERIODS_MS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const MEMBERS = ['name', 'who', 'gateways', 'tools', 'per', 'rate', 'burst', 'concurrency'];
/** More would be looked at on every call. */
const MAX_RULES = 32;
const MAX_COUNT = 1_000_000;
/** It stands in a header, between quotes. */
const NAME = /^[a-z\d][a-z\d_-]{0,63}$/;

/**
 * Rules as a document holds them: a list of `{name, who?, gateways?, tools?, per, rate?, burst?, concurrency?}`.
 *
 * @throws GatewayError request_invalid naming the member
 */
export function parseLimits(value: unknown): readonly LimitRule[] {
  if (!Array.isArray(value)) throw refused('limits', 'a list of rules', value);
  if (value.length > MAX_RULES) throw refused('limits', `at most ${MAX_RULES} rules`, value.length);
  const rules = value.map((entry, index) => parseRule(entry, `limits[${index}]`));
  const names = new Set<string>();
  for (const [index, { name }] of rules.entries()) {
    if (names.has(name)) throw refused(`limits[${index}].name`, 'a name of its own', name);
    names.add(name);
  }
  if (rules.filter(({ per }) => per.includes('failures')).length > 1)
    throw refused('limits', 'one rule per failures', 'several');
  return Object.freeze(rules);
}

function parseRule(entry: unknown, at: string): LimitRule {
  if (!isFields(entry)) throw refused(at, 'a rule', entry);
  const unknown = Object.keys(entry).find((member) => !MEMBERS.includes(member));
  if (unknown !== undefined) throw refused(`${at}.${unknown}`, `one of ${MEMBERS.join(', ')}`, unknown);
  const per = parsePer(entry['per'], `${at}.per`);
  const { who, gateways, tools, concurrency } = entry;
  const rule: LimitRule = {
    name: parseName(entry['name'] ?? per.join('-'), `${at}.name`),
    per,
    ...(who !== undefined && { who: parseWho(who, `${at}.who`) }),
    ...(gateways !== undefined && { gateways: texts(gateways, `${at}.gateways`) }),
    ...(tools !== undefined && { tools: texts(tools, `${at}.tools`) }),
    ...(entry['rate'] !== undefined && { rate: parseRate(entry, at) }),
    ...(concurrency !== undefined && { concurrency: count(concurrency, `${at}.concurrency`) }),
  };
  if (rule.rate === undefined && 'burst' in entry) throw refused(`${at}.burst`, 'a rate beside it', 'none');
  if (rule.rate === undefined && concurrency === undefined) throw refused(at, 'a rate or a concurrency', 'neither');
  if (per.includes('failures')) checkFailures(rule, entry, at);
  return Object.freeze(rule);
}

/** Who fails is nobody yet, and concerns nothing. */
function checkFailures({ per, rate }: LimitRule, entry: Fields, at: string): void {
  const others = ['who', 'gateways', 'tools', 'concurrency'].filter((member) => entry[member] !== undefined);
  if (per.length > 1 || others.length > 0 || rate === undefined)
    throw refused(at, 'failures alone with a rate', [...per, ...others].join(', '));
}

function parseName(value: unknown, at: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw refused(at, 'up to 64 lower-case letters, digits, - and _', value);
}

function parsePer(value: unknown, at: string): readonly CountedBy[] {
  const named = texts(value, at);
  const known: readonly string[] = COUNTED_BY;
  const wrong = named.find((one) => !known.includes(one));
  if (wrong !== undefined) throw refused(at, COUNTED_BY.join(', '), wrong);
  // each was looked up
  return COUNTED_BY.filter((one) => named.includes(one));
}

function parseRate({ rate, burst }: Fields, at: string): Rate {
  const [, number, unit = ''] = (typeof rate === 'string' && /^(\d{1,7})\/(\w+)$/.exec(rate)) || [];
  const periodMs = Object.hasOwn(PERIODS_MS, unit) ? PERIODS_MS[unit] : undefined;
  if (number === undefined || periodMs === undefined)
    throw refused(`${at}.rate`, 'a rate such as 100/minute (second, minute, hour or day)', rate);
  const allowed = count(Number(number), `${at}.rate`);
  return { count: allowed, periodMs, burst: burst === undefined ? allowed : count(burst, `${at}.burst`) };
}

function parseWho(value: unknown, at: string): Who {
  refuseWrong(WHO, value, at);
  // every member was looked at
  return value as Who;
}

function count(value: unknown, at: string): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COUNT) return value as number;
  throw refused(at, `a whole number from 1 to ${MAX_COUNT}`, value);
}

/** One text or several. */
function texts(value: unknown, at: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) return list as string[];
  throw refused(at, 'a text or a list of texts', value);
}

function refused(at: string, expected: string, met: unknown): GatewayError {
  const shown = (JSON.stringify(met) ?? 'nothing').slice(0, 80);
  return new GatewayError('request_invalid', `${at}: expected ${expected}, met ${shown}`, {
    hint: 'docs/limits.md shows rules',
    details: { member: at },
  });
}
