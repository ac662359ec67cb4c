import {
  choice,
  CONTROL,
  DESCRIPTION,
  flag,
  LABELS,
  list,
  map,
  nameOf,
  object,
  prefixOf,
  text,
} from './describe-field.ts';
import type { FieldSchema, ObjectSchema, PatchOf, TextSchema } from './field-schema.ts';

const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
const HEADER_VALUE = '^[!-~]([\\t -~]*[!-~])?$';
const PEM_CHARACTERS = 524_288;

const secret = (description: string, rest: Partial<TextSchema>): TextSchema & { readonly writeOnly: true } => ({
  ...text(description, { maxLength: 8192, ...rest }),
  writeOnly: true,
});
const pem = (what: string) =>
  text(`${what}: PEM, or the path of a PEM file below POSTERN_CERT_DIRS.`, { maxLength: PEM_CHARACTERS });

const IDENTITY = {
  clientCert: pem('The certificate we present, leaf first, with its intermediates'),
  clientKey: secret('The private key of clientCert: PEM, encrypted or not, or the path of a PEM file.', {
    maxLength: PEM_CHARACTERS,
  }),
  clientKeyPassword: secret('The passphrase of clientKey.', {}),
  clientBinding: text(
    'The name of a certificate the platform holds, instead of clientCert and clientKey; on Workers an mtls_certificates binding.',
    { maxLength: 128, pattern: '^[A-Za-z_$][0-9A-Za-z_$]*$' },
  ),
} as const;

/** Every field of a gateway that can be written, in the order people read them; the one description of the input. */
export const GATEWAY_FIELDS = {
  name: nameOf('warehouse'),
  url: text('Where the MCP server listens: http or https, without user name, password or fragment.', {
    maxLength: 2048,
    format: 'uri',
    examples: ['https://warehouse.example.com:8443/mcp'],
  }),
  description: DESCRIPTION,
  protocolEra: choice(
    'Absent or auto finds out, again at every refresh. modern never initializes, legacy never sends server/discover.',
    ['auto', 'legacy', 'modern'],
  ),
  transport: choice('Absent or AUTO tries Streamable HTTP, then SSE. STDIO starts a program instead; it has no url.', [
    'STREAMABLEHTTP',
    'SSE',
    'AUTO',
    'STDIO',
  ]),
  command: text(
    'The program of transport STDIO, as POSTERN_STDIO_COMMANDS lists it: an absolute path or a bare name.',
    {
      maxLength: 4096,
      pattern: `^[^${CONTROL}]+$`,
    },
  ),
  args: list(
    'Its arguments, as they are: no shell reads them. They are shown in answers and in the process list.',
    text('An argument.', { minLength: 0, maxLength: 8192 }),
    256,
  ),
  env: map(
    'Variables of its environment, beside the few every program gets. The values are secrets.',
    text('The name of a variable.', { pattern: '^[A-Za-z_][0-9A-Za-z_]*$' }),
    secret('The value of a variable.', { minLength: 0, maxLength: 32_768 }),
    128,
  ),
  cwd: text('The folder it is started in: absolute, and there. Absent means the one Postern runs in.', {
    maxLength: 4096,
    pattern: `^[^${CONTROL}]+$`,
  }),
  prefix: prefixOf('What goes before its tool and prompt names where several gateways meet; absent means `<slug>_`.'),
  passthroughHeaders: list(
    'Request headers of callers that go upstream.',
    text('A header name.', { pattern: HEADER_NAME }),
  ),
  requestTimeoutSeconds: {
    type: 'integer',
    minimum: 1,
    maximum: 86_400,
    description:
      'How long a request may take until its answer is complete; absent waits 600 s for the beginning of answers that are computed, 60 s for others.',
  },
  refreshIntervalSeconds: {
    type: 'integer',
    minimum: 60,
    maximum: 31_536_000,
    description: 'How often the listing is read again; absent means only when asked.',
  },

  authType: choice('How we log in. oauth and one_time_auth are refused (feature_unsupported) until they work.', [
    'none',
    'basic',
    'bearer',
    'authheaders',
    'query_param',
    'oauth',
    'one_time_auth',
  ]),
  authUsername: text('User name of auth type basic, without a colon.', { pattern: `^[^:${CONTROL}]+$` }),
  authPassword: secret('Password of auth type basic; colons are fine.', { pattern: `^[^${CONTROL}]+$` }),
  authToken: secret('Token of auth type bearer.', { pattern: '^[!-~]+$' }),
  authHeaderKey: text('Name of the one header of auth type authheaders.', { pattern: HEADER_NAME }),
  authHeaderValue: secret('Value of the one header of auth type authheaders.', { pattern: HEADER_VALUE }),
  authHeaders: list(
    'Headers of auth type authheaders.',
    object(
      'A header.',
      {
        key: text('Its name.', { pattern: HEADER_NAME }),
        value: secret('Its value.', { pattern: HEADER_VALUE }),
      },
      ['key', 'value'],
    ),
  ),
  authQueryParamKey: text('Name of the query parameter of auth type query_param.', {}),
  authQueryParamValue: secret('Value of the query parameter of auth type query_param.', {}),

  caCertificate: pem('The certificate authorities we trust for this gateway'),
  caMode: choice('only: trust caCertificate alone (default when it is given). add: also the public ones.', [
    'only',
    'add',
  ]),
  ...IDENTITY,
  serverName: text('Name sent as SNI and looked for in the server certificate, instead of the host of the URL.', {
    maxLength: 253,
    pattern: '^[0-9A-Za-z._:-]+$',
  }),
  checkHostname: flag('false skips the name check; refused unless POSTERN_ALLOW_INSECURE_TLS=true.'),
  verify: flag('false skips every check of the server certificate; refused unless POSTERN_ALLOW_INSECURE_TLS=true.'),
  minTlsVersion: choice('The oldest TLS version spoken; default TLSv1.2.', ['TLSv1.2', 'TLSv1.3', '1.2', '1.3']),
  crl: text(
    'Revocation lists for the server certificate: PEM, the path of a PEM file below POSTERN_CERT_DIRS, or http and https URLs with blanks between them.',
    { maxLength: PEM_CHARACTERS },
  ),
  revocation: choice(
    'ocsp: the responder the server certificate names, or a status the server staples, has to call it good. Default none.',
    ['none', 'ocsp'],
  ),
  pins: list(
    'SHA-256 of the SubjectPublicKeyInfo of the server certificate, base64; one must match.',
    text('A pin.', { maxLength: 128 }),
    32,
  ),
  next: object('The identity to come: its authorities are believed already, it is presented once it is promoted.', {
    ...IDENTITY,
    caCertificate: pem('The certificate authorities to come'),
  }),
  tlsConfig: object('Another way to write caCertificate, clientCert and clientKey.', {
    caCert: pem('caCertificate'),
    clientCert: IDENTITY.clientCert,
    clientKey: IDENTITY.clientKey,
  }),

  ...LABELS,
  signingAlgorithm: choice('Kept without effect.', ['ed25519']),
  gatewayMode: choice('Only cache; direct_proxy is refused (feature_unsupported).', ['cache', 'direct_proxy']),
  oneTimeAuth: flag('Only false; true is refused (feature_unsupported).'),
  identityPropagation: {
    type: 'object',
    additionalProperties: true,
    description: 'Only with enabled false; anything else is refused (feature_unsupported).',
  },
  oauthConfig: {
    type: 'object',
    additionalProperties: true,
    description: 'Refused (feature_unsupported) until it works.',
  },
  caCertificateSig: text(
    'Refused (feature_unsupported): a signature that is not checked must not look as if it were.',
    { maxLength: 8192 },
  ),
  authValue: secret('Refused (feature_unsupported): send authPassword, authToken or authHeaders.', {}),
} as const satisfies Readonly<Record<string, FieldSchema>>;

/** The schema of a gateway as it is written; an update may leave out everything. */
export const GATEWAY_SCHEMA: ObjectSchema = object('A gateway as it is written.', GATEWAY_FIELDS, ['name']);

/** A gateway as it is written, after reading: absent keeps, null clears. */
export type GatewayPatch = Omit<PatchOf<typeof GATEWAY_FIELDS>, 'tlsConfig'>;
