import type { Context } from 'hono';
import type { AdminArea } from '../../policy/admin-actions.ts';
import type { Action } from '../../policy/grant.ts';
import type { HttpEnv } from '../env.ts';

/** What each part of the API is about, by the first name of its path. */
const AREAS: ReadonlyMap<string, AdminArea> = new Map([
  ['gateways', 'gateways'],
  ['servers', 'servers'],
  // what virtual servers are made of
  ['tools', 'servers'],
  ['prompts', 'servers'],
  ['resources', 'servers'],
  ['rotation', 'rotation'],
  ['policy', 'policy'],
  ['tokens', 'tokens'],
]);

/** Asked with a body, and changes nothing. */
const ASKING = /^\/policy\/test\/?$/;

/** What a request to the API does, in the words of policy; the API's own description is for every admin. */
export function adminActionOf({ req }: Context<HttpEnv>): Action {
  const path = req.path.replace(/^\/v1(?=\/)/, '');
  if (path === '/openapi.json') return { kind: 'admin' };
  const [, first = ''] = path.split('/');
  // what has no area here goes by its own name, which only a rule about everything allows
  const area = AREAS.get(first) ?? first;
  const isReading = req.method === 'GET' || req.method === 'HEAD' || ASKING.test(path);
  return { kind: 'admin', name: `${area}:${isReading ? 'read' : 'write'}` };
}
