import { GatewayError } from './errors.ts';
import { isFields } from './fields.ts';

const TEXT_COUNT = 256;
const TEXT_CHARACTERS = 2048;
/** One refusal names so many of the things that are wrong. */
const SHOWN_PROBLEMS = 16;

interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** Says what is wrong with a value. */
export type Check = (value: unknown, field: string) => readonly FieldProblem[];

/** Refuses a value a check finds something wrong with. @throws GatewayError request_invalid naming each wrong field */
export function refuseWrong(check: Check, value: unknown, what: string): void {
  const shown = check(value, what).slice(0, SHOWN_PROBLEMS);
  if (shown.length === 0) return;
  const said = shown.map(({ field, problem }) => `${field} ${problem}`).join('; ');
  throw new GatewayError('request_invalid', said, { details: { fields: shown } });
}

/** One problem. */
export const wrong = (field: string, problem: string): readonly FieldProblem[] => [{ field, problem }];

/** An object with these members and no other. */
export function members(checks: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, field) => {
    if (!isFields(value)) return wrong(field, 'must be an object');
    const missing = required.filter((name) => value[name] === undefined);
    return [
      ...missing.flatMap((name) => wrong(`${field}.${name}`, 'is required')),
      ...Object.entries(value).flatMap(([name, member]) => {
        const at = `${field}.${name.slice(0, 64)}`;
        const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
        return check?.(member, at) ?? wrong(at, `is not one of ${Object.keys(checks).join(', ')}`);
      }),
    ];
  };
}

/** One text or a list of them, each of which `problemOf` finds nothing wrong with. */
export function texts(problemOf: (text: string) => string | undefined = () => undefined): Check {
  return (value, field) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length === 0) return wrong(field, 'must not be empty');
    if (list.length > TEXT_COUNT) return wrong(field, `must have at most ${TEXT_COUNT} items`);
    return list.flatMap((text) => {
      const problem = typeof text === 'string' ? (problemWith(text) ?? problemOf(text)) : 'must be a text or texts';
      return problem === undefined ? [] : wrong(field, problem);
    });
  };
}

function problemWith(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text.length > TEXT_CHARACTERS) return `must have at most ${TEXT_CHARACTERS} characters`;
  return text.isWellFormed() && !text.includes('\0') ? undefined : 'must be Unicode text without NUL';
}

/** One of a few words, or several. */
export const oneOf = (known: readonly string[]): Check =>
  texts((text) => (known.includes(text) ? undefined : `must be one of ${known.join(', ')}`));

/** `{}` might be meant as everything, or as nothing. */
export function notEmpty(check: Check): Check {
  return (value, field) =>
    isFields(value) && Object.keys(value).length === 0 ? wrong(field, 'must not be empty') : check(value, field);
}
