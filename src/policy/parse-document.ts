import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { matcherOf } from '../base/patterns.ts';
import { WHO } from '../identity/who.ts';
import { parseLimits } from '../limits/parse-limits.ts';
import { ADMIN_ACTIONS } from './admin-actions.ts';
import { members, notEmpty, refuseWrong, texts, wrong } from '../base/checks.ts';
import type { Check } from '../base/checks.ts';
import { toGatewayError } from '../base/errors.ts';
import type { PolicyDocument } from './document.ts';

const RULE_COUNT = 512;
const NAME_CHARACTERS = 128;

/**
 * Reads a policy. What it does not know it refuses by name: a misspelt restriction must not restrict nothing.
 *
 * @throws GatewayError request_invalid naming each wrong field
 */
export function parsePolicy(value: unknown): PolicyDocument {
  refuseWrong(document, value, 'policy');
  // every member was looked at
  return value as PolicyDocument;
}

const admin = texts((text) =>
  ADMIN_ACTIONS.some(matcherOf([text])) ? undefined : `must fit one of ${ADMIN_ACTIONS.join(', ')}`,
);

const what = notEmpty(
  members({ servers: texts(), gateways: texts(), tools: texts(), prompts: texts(), resources: texts(), admin }),
);

const name: Check = (value, field) => {
  const fits = typeof value === 'string' && /^[^\p{Cc}]+$/u.test(value) && value.isWellFormed();
  return fits && value.length <= NAME_CHARACTERS
    ? []
    : wrong(field, `must be a text of 1 to ${NAME_CHARACTERS} characters in one line`);
};

const ruleMembers = members({ name, who: WHO, allow: what, deny: what }, ['name']);
const rule: Check = (value, field) => {
  const problems = ruleMembers(value, field);
  const { allow, deny } = isFields(value) ? value : ({} as Fields);
  if (problems.length > 0 || (allow === undefined) !== (deny === undefined)) return problems;
  return wrong(field, 'must have either allow or deny');
};

const rules: Check = (value, field) => {
  if (!Array.isArray(value)) return wrong(field, 'must be a list');
  if (value.length > RULE_COUNT) return wrong(field, `must have at most ${RULE_COUNT} items`);
  const problems = value.flatMap((item, index) => rule(item, `${field}.${index}`));
  const names = value.map((item: unknown) => (isFields(item) ? item['name'] : undefined));
  const twice = names.findIndex((one, index) => one !== undefined && names.indexOf(one) !== index);
  return twice < 0 ? problems : [...problems, ...wrong(`${field}.${twice}.name`, 'is the name of another rule too')];
};

const limits: Check = (value, field) => {
  try {
    parseLimits(value);
    return [];
  } catch (error) {
    return wrong(field, toGatewayError(error).message);
  }
};

/** What a policy consists of. */
export const document = members({ rules, limits }, ['rules']);
