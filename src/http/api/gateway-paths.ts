import { linksTo, operation, schema, withId } from './operations.ts';
import type { Json, Operation } from './operations.ts';
import { CREATE_QUERY, LIST_QUERY, REFRESH_QUERY, STATE_QUERY, UPDATE_QUERY } from './queries.ts';

const of = (described: Omit<Operation, 'tag'>): Json => operation({ tag: 'gateways', ...described });

const gateway = { answers: schema('GatewayRead'), etag: true } as const;

const refresh = (id: string): Json =>
  of({
    id,
    summary: 'Reads the listing again.',
    answers: schema('GatewayRefreshResponse'),
    refusals: [404, 409, 422, 502],
    query: REFRESH_QUERY,
  });

/** The paths of gateways. */
export const GATEWAY_PATHS: Json = {
  '/v1/gateways': {
    get: of({
      id: 'listGateways',
      summary: 'Gateways in the order of registration.',
      answers: { oneOf: [{ type: 'array', items: schema('GatewayRead') }, schema('GatewayPage')] },
      refusals: [],
      query: LIST_QUERY,
    }),
    post: of({
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
    get: of({ id: 'readGateway', summary: 'One gateway.', ...gateway, refusals: [404] }),
    put: of({
      id: 'updateGateway',
      summary: 'Changes a gateway; answers once this instance serves the change.',
      ...gateway,
      refusals: [404, 409, 422, 502],
      query: UPDATE_QUERY,
      body: 'GatewayUpdate',
      ifMatch: true,
    }),
    delete: of({
      id: 'deleteGateway',
      summary: 'Forgets a gateway; calls in flight finish.',
      answers: schema('Deleted'),
      refusals: [404],
      ifMatch: true,
    }),
  }),
  '/v1/gateways/{id}/state': withId({
    post: of({
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
    post: of({
      id: 'checkGateway',
      summary: 'Makes one handshake and reports it; a failed one is a report as well.',
      answers: schema('HandshakeReport'),
      refusals: [404, 502],
    }),
  }),
};
