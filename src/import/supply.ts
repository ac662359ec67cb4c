import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { snakeOf } from '../registry/field-schema.ts';
import { GATEWAY_FIELDS } from '../registry/gateway-fields.ts';
import { Hidden } from './hidden.ts';
import type { ImportedGateway, Problem } from './imported-entry.ts';
import { shownFrom } from './variables.ts';
import type { Variables } from './variables.ts';

/** Fields that are one text, by the spelling they are supplied in. */
const TEXT_FIELDS = new Map(
  Object.entries(GATEWAY_FIELDS).flatMap(([name, schema]) =>
    schema.type === 'string' ? [[snakeOf(name), name] as const] : [],
  ),
);

/** What a field says of how to log in, where nothing else does. */
const IMPLIED: Readonly<Record<string, string>> = {
  authToken: 'bearer',
  authUsername: 'basic',
  authPassword: 'basic',
  authHeaderValue: 'authheaders',
  authQueryParamValue: 'query_param',
};

/**
 * An entry with what was supplied for it under `<its name>.<field>`: any field that is a text, and every secret it
 * lacks. What is still missing is called by the id it can be supplied under.
 */
export function withSupplied(entry: ImportedGateway, variables: Variables): ImportedGateway {
  const supplied = (path: string): Hidden | undefined => {
    const text = variables.input(`${entry.source}.${path}`);
    return text === undefined || text === ''
      ? undefined
      : new Hidden(text, shownFrom([`the input ${entry.source}.${path}`]));
  };
  let body: Fields = entry.body;
  for (const [path, name] of TEXT_FIELDS) {
    const value = supplied(path);
    if (value === undefined) continue;
    const implied = IMPLIED[name];
    const isSecret = 'writeOnly' in (GATEWAY_FIELDS[name as keyof typeof GATEWAY_FIELDS] as object);
    body = {
      ...body,
      ...(implied !== undefined && body['authType'] === undefined && { authType: implied }),
      [name]: isSecret ? value : value.reveal(),
    };
  }
  const problems: Problem[] = [];
  for (const problem of entry.problems) {
    const isField = TEXT_FIELDS.has(problem.name);
    const value = problem.kind === 'secret' || isField ? supplied(problem.name) : undefined;
    if (value === undefined) problems.push(problem.kind === 'secret' ? named(problem, entry.source) : problem);
    else if (!isField) body = placed(body, problem.name, value);
  }
  return { ...entry, body: { ...body, name: String(body['name']) }, problems };
}

function named(problem: Problem, source: string): Problem {
  const id = `${source}.${problem.name}`;
  return { ...problem, name: id, message: `${problem.message}: --input-file ${JSON.stringify(id)}=FILE` };
}

/** `auth_headers.X-Key`, `env.NAME` or `next.client_key`: below a field, by name. */
function placed(body: Fields, path: string, value: Hidden): Fields {
  const dot = path.indexOf('.');
  const [outer, inner] = [camelOf(path.slice(0, dot)), path.slice(dot + 1)];
  const held = body[outer];
  if (Array.isArray(held)) {
    const items = held.map((item: unknown) => (isFields(item) && item['key'] === inner ? { ...item, value } : item));
    return { ...body, [outer]: items };
  }
  return { ...body, [outer]: { ...(isFields(held) ? held : {}), [outer === 'env' ? inner : camelOf(inner)]: value } };
}

const camelOf = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
