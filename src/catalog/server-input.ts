import { isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { readObject, refuseProblems } from '../registry/field-schema.ts';
import type { FieldProblem } from '../registry/field-schema.ts';
import { refuseUnsupported } from '../registry/unsupported.ts';
import { SERVER_SCHEMA, SERVER_UNSUPPORTED } from './server-fields.ts';
import type { ServerPatch } from './server-fields.ts';

/** What a new virtual server is described by. */
export type ServerCreate = ServerPatch & { readonly name: string };

/**
 * Reads a new virtual server, also in ContextForge's envelope `{"server": {…}, "team_id", "visibility"}`.
 *
 * @throws GatewayError request_invalid naming each wrong field, feature_unsupported
 */
export function parseServerCreate(body: unknown): ServerCreate {
  // name is required by the schema
  return parse(unwrapped(body), false) as ServerCreate;
}

/** Reads a change. @throws GatewayError request_invalid naming each wrong field, feature_unsupported */
export function parseServerUpdate(body: unknown): ServerPatch {
  return parse(body, true);
}

function parse(body: unknown, partial: boolean): ServerPatch {
  const problems: FieldProblem[] = [];
  const patch: ServerPatch = readObject(SERVER_SCHEMA, withLists(body), { partial, problems });
  if (partial && 'id' in patch) problems.push({ field: 'id', problem: 'cannot be changed' });
  const hasItems = patch.associatedTools ?? patch.associatedPrompts ?? patch.associatedResources;
  if (patch.members && hasItems)
    problems.push({ field: 'members', problem: 'says the same as the associated fields: send one of both' });
  refuseProblems(problems);
  refuseUnsupported(patch, SERVER_UNSUPPORTED);
  return patch;
}

function unwrapped(body: unknown): unknown {
  if (!isFields(body) || !isFields(body['server'])) return body;
  const { server, ...around } = body as Fields & { readonly server: Fields };
  const said = Object.entries(around).filter(([, value]) => value !== null);
  return { ...server, ...Object.fromEntries(said) };
}

const COMMA_LISTS = /^associated_?(?:tools|prompts|resources|a2a_?agents)$/i;

function withLists(body: unknown): unknown {
  if (!isFields(body)) return body;
  const entries = Object.entries(body).map(([name, value]) =>
    COMMA_LISTS.test(name) && typeof value === 'string' ? [name, listIn(value)] : [name, value],
  );
  return Object.fromEntries(entries) as Fields;
}

const listIn = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
