import { PRODUCT } from '../../base/product.ts';
import { GATEWAY_PATHS } from './gateway-paths.ts';
import { schema } from './operations.ts';
import type { Json } from './operations.ts';
import { POLICY_PATHS, POLICY_READ_SCHEMAS, POLICY_WRITE_SCHEMAS } from './policy-paths.ts';
import { READ_SCHEMAS } from './read-schemas.ts';
import { ROTATION_PATHS, ROTATION_READ_SCHEMAS } from './rotation-paths.ts';
import { SERVER_PATHS } from './server-paths.ts';
import { SERVER_READ_SCHEMAS } from './server-read-schemas.ts';
import { TOKEN_PATHS, TOKEN_READ_SCHEMAS } from './token-paths.ts';
import { WRITE_SCHEMAS } from './write-schemas.ts';

/** What each refusal means; the problem's `code` says more. */
const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is malformed: no JSON, an unknown field or parameter, a value of the wrong kind.',
  401: 'No credential, or one that is not accepted.',
  403: 'The caller is not an admin, the policy does not let it, or the Host or Origin is not allowed.',
  404: 'No gateway, virtual server or token has this id or slug.',
  409: 'A name, slug or prefix is taken, the gateway is not active, a refresh is running, there is nothing to promote, retire or go back to, or a policy would lock its author out.',
  412: 'It was changed since the version in If-Match.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'Understood, but it cannot be used: a certificate that does not match its key, a refused URL, an unsupported feature.',
  429: 'Too much is waiting already.',
  508: 'The request came through this gateway before.',
  500: 'The gateway itself failed, or a stored record cannot be opened.',
  502: 'The upstream could not be reached or did not accept us; code, stage and hint say why.',
  503: 'The store cannot be reached, or the gateway is shutting down.',
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
        'Upstream MCP servers, called gateways here, and virtual servers made of them. The unversioned paths (/gateways) answer the same as /v1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths: { ...GATEWAY_PATHS, ...SERVER_PATHS, ...ROTATION_PATHS, ...POLICY_PATHS, ...TOKEN_PATHS },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      parameters: {
        id: {
          name: 'id',
          in: 'path',
          required: true,
          description: 'The id or the slug.',
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
      schemas: {
        ...READ_SCHEMAS,
        ...SERVER_READ_SCHEMAS,
        ...ROTATION_READ_SCHEMAS,
        ...WRITE_SCHEMAS,
        ...POLICY_READ_SCHEMAS,
        ...POLICY_WRITE_SCHEMAS,
        ...TOKEN_READ_SCHEMAS,
      },
    },
  };
}
