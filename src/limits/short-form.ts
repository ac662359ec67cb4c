import { GatewayError } from '../base/errors.ts';
import type { LimitRule } from './limit-rule.ts';
import { parseLimits } from './parse-limits.ts';

/** Members that are numbers. */
const NUMBERS = new Set(['burst', 'concurrency']);
/** Members that are lists, in the short form with `|` between their texts. */
const LISTS = new Set(['gateways', 'tools']);

/**
 * Rules as one text: the list as JSON, or in short form `subject=600/minute,burst=50; subject+tool=30/minute,tools=a|b`.
 * A rule of the short form begins with what it is counted by; `subject,concurrency=5` has no rate.
 *
 * @throws GatewayError request_invalid naming the member
 */
export function readLimits(text: string): readonly LimitRule[] {
  if (!/^\s*\[/.test(text)) return parseLimits(text.split(';').filter(hasText).map(ruleIn));
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new GatewayError('request_invalid', 'limits: expected a list in JSON, met something else in brackets');
  }
  return parseLimits(list);
}

const hasText = (part: string): boolean => part.trim() !== '';

function ruleIn(text: string): Readonly<Record<string, unknown>> {
  const [first = '', ...others] = text.split(',').map(pairIn);
  const [per = '', rate] = first;
  const members = others.map(([member = '', value = '']) => [member, valueOf(member, value)]);
  return { per: per.split('+').map((one) => one.trim()), ...(rate !== undefined && { rate }), ...named(members) };
}

const named = (members: readonly unknown[][]): object => Object.fromEntries(members) as object;

/** The second is absent where there is no `=`. */
const pairIn = (part: string): string[] => {
  const [name = '', ...value] = part.split('=');
  return value.length === 0 ? [name.trim()] : [name.trim(), value.join('=').trim()];
};

function valueOf(member: string, value: string): unknown {
  if (LISTS.has(member)) return value.split('|').map((one) => one.trim());
  return NUMBERS.has(member) && /^\d+$/.test(value) ? Number(value) : value;
}
