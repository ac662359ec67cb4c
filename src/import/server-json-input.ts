import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { Findings } from './imported-entry.ts';
import { memberOf, textOf } from './members.ts';
import type { Filled, Variables } from './variables.ts';

/** How values are found and what is said of those that are not. */
export interface InputContext {
  /** The server's name, which may go before an id: `weather.WEATHER_API_KEY`. */
  readonly server: string;
  readonly variables: Variables;
  readonly findings: Findings;
}

/**
 * The value of an input of server.json: fixed by the file, given, from the environment where it may be, or the default.
 * Undefined when there is none, which is reported where it is required.
 *
 * @param id what the input is called when it is supplied
 * @see https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json, Input
 */
export function inputOf(
  input: Fields,
  id: string,
  context: InputContext,
  { fromEnvironment = false } = {},
): Filled | undefined {
  const fixed = textOf(input, 'value');
  if (fixed !== undefined) return fillBraces(fixed, asFields(input['variables']) ?? {}, context);
  const { variables, findings, server } = context;
  const given = variables.input(`${server}.${id}`) || variables.input(id) || undefined;
  if (given !== undefined) return { text: given, template: `{${id}}`, sources: [`the input ${id}`] };
  const found = fromEnvironment ? variables.environment(id) || undefined : undefined;
  if (found !== undefined) return { text: found, template: `{${id}}`, sources: [`$${id}`] };
  const fallback = textOf(input, 'default');
  if (fallback !== undefined) return { text: fallback, template: fallback, sources: [] };
  if (memberOf(input, 'isRequired') !== true) return undefined;
  const { description } = input;
  const what = typeof description === 'string' && description !== '' ? ` (${description})` : '';
  const how = fromEnvironment ? `set it, or --input ${id}=…` : `--input ${id}=…`;
  findings.problems.push({ kind: 'input', name: id, message: `${id}${what} has no value: ${how}` });
  return { text: undefined, template: `{${id}}`, sources: [] };
}

/** Fills in `{name}` for the names that are described; what else stands in braces stays. */
export function fillBraces(template: string, described: Fields, context: InputContext): Filled {
  const sources: string[] = [];
  let isComplete = true;
  const text = template.replaceAll(/\{([^{}]+)\}/g, (match, name: string) => {
    const variable = Object.hasOwn(described, name) ? asFields(described[name]) : undefined;
    if (variable === undefined) return match;
    const filled = inputOf(variable, name, context);
    if (filled?.text === undefined) {
      isComplete = false;
      if (filled === undefined) reportNoValue(name, context);
      return match;
    }
    sources.push(...filled.sources);
    return filled.text;
  });
  return { text: isComplete ? text : undefined, template, sources };
}

/** A text with a hole in it is of no use, also where the hole itself is optional. */
function reportNoValue(name: string, { findings: { problems } }: InputContext): void {
  problems.push({ kind: 'input', name, message: `${name} has no value: --input ${name}=…` });
}
