import { linksTo, operation, schema, withId } from './operations.ts';
import type { Json, Operation } from './operations.ts';
import { LIST_QUERY, STATE_QUERY } from './queries.ts';

const of = (described: Omit<Operation, 'tag'>): Json => operation({ tag: 'servers', ...described });

const server = { answers: schema('ServerRead'), etag: true } as const;

const listing = (kind: 'tools' | 'prompts' | 'resources', read: string): Json => ({
  get: operation({
    tag: kind,
    id: `list${read.replace('Read', 's')}`,
    summary: `The ${kind} that /mcp publishes, in its order.`,
    answers: { type: 'array', items: schema(read) },
    refusals: [],
  }),
});

/** The paths of virtual servers, and of what they can be made of. */
export const SERVER_PATHS: Json = {
  '/v1/servers': {
    get: of({
      id: 'listServers',
      summary: 'Virtual servers in the order they were made.',
      answers: { oneOf: [{ type: 'array', items: schema('ServerRead') }, schema('ServerPage')] },
      refusals: [],
      query: LIST_QUERY,
    }),
    post: of({
      id: 'createServer',
      summary: 'Saves a virtual server.',
      ...server,
      status: 201,
      refusals: [409, 422],
      body: 'ServerCreate',
      links: linksTo('readServer', 'updateServer', 'deleteServer', 'setServerState'),
    }),
  },
  '/v1/servers/{id}': withId({
    get: of({ id: 'readServer', summary: 'One virtual server.', ...server, refusals: [404] }),
    put: of({
      id: 'updateServer',
      summary: 'Changes a virtual server; answers once this instance serves the change.',
      ...server,
      refusals: [404, 409, 422],
      body: 'ServerUpdate',
      ifMatch: true,
    }),
    delete: of({
      id: 'deleteServer',
      summary: 'Forgets a virtual server; its gateways stay.',
      answers: schema('Deleted'),
      refusals: [404],
      ifMatch: true,
    }),
  }),
  '/v1/servers/{id}/state': withId({
    post: of({
      id: 'setServerState',
      summary: 'Puts a virtual server into service, or takes it out.',
      ...server,
      refusals: [404],
      query: STATE_QUERY,
      ifMatch: true,
    }),
  }),
  '/v1/tools': listing('tools', 'ToolRead'),
  '/v1/prompts': listing('prompts', 'PromptRead'),
  '/v1/resources': listing('resources', 'ResourceRead'),
};
