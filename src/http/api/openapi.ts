import { PRODUCT } from '../../base/product.ts';
import { CREATE_QUERY, LIST_QUERY, REFRESH_QUERY, STATE_QUERY } from './queries.ts';
import type { QuerySchema } from './query.ts';
import { READ_SCHEMAS } from './read-schemas.ts';
import { WRITE_SCHEMAS } from './write-schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** What each refusal means; the problem's `code` says more. */
const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is malformed: no JSON, an unknown field or parameter, a value of the wrong kind.',
  401: 'No credential, or one that is not accepted.',
  403: 'The caller is not an admin, or the Host or Origin is not allowed.',
  404: 'No gateway has this id or slug.',
  409: 'The name or prefix is taken, the gateway is not active, or a refresh is running.',
  412: 'The gateway was changed since the version in If-Match.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'Understood, but it cannot be used: a certificate that does not match its key, a refused URL, an unsupported feature.',
  500: 'The gateway itself failed, or a stored record cannot be opened.',
  502: 'The upstream could not be reached or did not accept us; code, stage and hint say why.',
  503: 'The store cannot be reached, or the gateway is shutting down.',
};

const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });
const schema = (name: string): Json => ref('schemas', name);
const json = (of: Json): Json => ({ 'application/json': { schema: of } });

interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly answers: Json;
  readonly refusals: readonly number[];
  readonly query?: Readonly<Record<string, QuerySchema>>;
  readonly body?: string;
  readonly ifMatch?: true;
  readonly etag?: true;
  readonly links?: Json;
}

const ALWAYS = [400, 401, 403, 500, 503];
const ETAG = { ETag: { schema: { type: 'string' }, description: 'The version, for If-Match.' } };

function operation({ id, summary, answers, refusals, query = {}, body, ifMatch, etag, links }: Operation): Json {
  const parameters = Object.entries(query).map(([name, { description, ...of }]) => ({
    name,
    in: 'query',
    description,
    schema: of,
  }));
  const statuses = [...ALWAYS, ...refusals, ...(body ? [413, 415] : []), ...(ifMatch ? [412] : [])].toSorted(
    (a, b) => a - b,
  );
  return {
    operationId: id,
    summary,
    tags: ['gateways'],
    parameters: [...parameters, ...(ifMatch ? [ref('parameters', 'ifMatch')] : [])],
    ...(body && { requestBody: { required: true, content: json(schema(body)) } }),
    responses: {
      200: { description: summary, content: json(answers), ...(etag && { headers: ETAG }), ...(links && { links }) },
      ...Object.fromEntries(statuses.map((status) => [status, ref('responses', `Problem${status}`)])),
    },
  };
}

const gateway = { answers: schema('GatewayRead'), etag: true } as const;

const refresh = (id: string): Json =>
  operation({
    id,
    summary: 'Reads the listing again.',
    answers: schema('GatewayRefreshResponse'),
    refusals: [404, 409, 422, 502],
    query: REFRESH_QUERY,
  });

const withId = (operations: Json): Json => ({ parameters: [ref('parameters', 'id')], ...operations });

/** Operations that take the id of an answer. */
const linksTo = (...operationIds: readonly string[]): Json =>
  Object.fromEntries(
    operationIds.map((operationId) => [operationId, { operationId, parameters: { id: '$response.body#/id' } }]),
  );

const PATHS: Json = {
  '/v1/gateways': {
    get: operation({
      id: 'listGateways',
      summary: 'Gateways in the order of registration.',
      answers: { oneOf: [{ type: 'array', items: schema('GatewayRead') }, schema('GatewayPage')] },
      refusals: [],
      query: LIST_QUERY,
    }),
    post: operation({
      id: 'createGateway',
      summary: 'Registers a gateway: connects, lists, then stores.',
      ...gateway,
      refusals: [409, 422, 502],
      query: CREATE_QUERY,
      body: 'GatewayCreate',
      links: linksTo(
        'readGateway',
        'updateGateway',
        'deleteGateway',
        'setGatewayState',
        'refreshGateway',
        'refreshGatewayTools',
        'checkGateway',
      ),
    }),
  },
  '/v1/gateways/{id}': withId({
    get: operation({ id: 'readGateway', summary: 'One gateway.', ...gateway, refusals: [404] }),
    put: operation({
      id: 'updateGateway',
      summary: 'Changes a gateway; answers once this instance serves the change.',
      ...gateway,
      refusals: [404, 409, 422, 502],
      body: 'GatewayUpdate',
      ifMatch: true,
    }),
    delete: operation({
      id: 'deleteGateway',
      summary: 'Forgets a gateway; calls in flight finish.',
      answers: schema('GatewayDeleted'),
      refusals: [404],
      ifMatch: true,
    }),
  }),
  '/v1/gateways/{id}/state': withId({
    post: operation({
      id: 'setGatewayState',
      summary: 'Activates a gateway after connecting it, or takes it out of service.',
      ...gateway,
      refusals: [404, 422, 502],
      query: STATE_QUERY,
      ifMatch: true,
    }),
  }),
  '/v1/gateways/{id}/refresh': withId({ post: refresh('refreshGateway') }),
  '/v1/gateways/{id}/tools/refresh': withId({ post: refresh('refreshGatewayTools') }),
  '/v1/gateways/{id}/check': withId({
    post: operation({
      id: 'checkGateway',
      summary: 'Makes one handshake and reports it; a failed one is a report as well.',
      answers: schema('HandshakeReport'),
      refusals: [404, 502],
    }),
  }),
};

/** The OpenAPI 3.1 document of the REST API. @see https://spec.openapis.org/oas/v3.1.1 */
export function openApiDocument(): Json {
  const problems = Object.entries(PROBLEMS).map(([status, description]) => [
    `Problem${status}`,
    { description, content: { 'application/problem+json': { schema: schema('Problem') } } },
  ]);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Postern',
      version: PRODUCT.version,
      description:
        'Upstream MCP servers, called gateways here. The unversioned paths (/gateways) answer the same as /v1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths: PATHS,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      parameters: {
        id: {
          name: 'id',
          in: 'path',
          required: true,
          description: 'The id or the slug of a gateway.',
          schema: { type: 'string', minLength: 1 },
        },
        ifMatch: {
          name: 'If-Match',
          in: 'header',
          description: 'ETags, or *; the change is refused when none of them is current.',
          schema: { type: 'string' },
        },
      },
      responses: Object.fromEntries(problems),
      schemas: { ...READ_SCHEMAS, ...WRITE_SCHEMAS },
    },
  };
}
