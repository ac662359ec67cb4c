/** JSON Schema of what the API answers with. */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const maybeText: Schema = { type: ['string', 'null'] };
const time: Schema = { type: ['string', 'null'], format: 'date-time' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const nothing: Schema = { type: 'null' };
const texts: Schema = { type: 'array', items: text };
const free: Schema = { type: 'object', additionalProperties: true };
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
const list = (items: Schema): Schema => ({ type: 'array', items });
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const maybe = (schema: Schema): Schema => ({ anyOf: [schema, nothing] });
const masked: Schema = { type: ['string', 'null'], enum: ['*****', null] };

/** An object that has all of `properties`, and nothing else. */
const object = (
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema => ({
  type: 'object',
  properties: { ...properties, ...optional },
  required: Object.keys(properties),
  additionalProperties: false,
});

const certificate = object({
  subject: text,
  issuer: text,
  serialNumber: text,
  notBefore: { type: 'string', format: 'date-time' },
  notAfter: { type: 'string', format: 'date-time' },
  dnsNames: texts,
  ipAddresses: texts,
  emails: texts,
  uris: texts,
  keyType: text,
  isCa: flag,
  sha256: text,
  spkiPin: text,
  daysLeft: { type: 'integer', description: 'Whole days; negative once it has expired.' },
});

const profile = {
  fingerprint: text,
  clientCertificate: maybe(ref('Certificate')),
  authorities: list(ref('Certificate')),
};

const identity = { clientCert: maybeText, clientKey: masked, clientKeyPassword: masked };

const gateway = object({
  id: text,
  name: text,
  slug: { ...text, description: 'Made of the name at registration; a new name does not change it.' },
  url: text,
  description: maybeText,
  transport: {
    ...oneOf('STREAMABLEHTTP', 'SSE', 'AUTO'),
    description: 'AUTO until it was reached for the first time.',
  },
  prefix: text,
  enabled: flag,
  reachable: flag,
  status: {
    ...oneOf('active', 'pending', 'refused'),
    description: 'pending: never reached. refused: its record or files cannot be used, see lastError.',
  },
  statusMessage: maybeText,
  lastError: { ...maybeText, description: 'A code, a colon and a sentence.' },
  lastSeen: time,
  registrationAttempts: count,
  nextRetryAt: time,
  health: object({
    status: oneOf('unknown', 'healthy', 'failing'),
    reason: maybe(object({ code: text, message: text }, { hint: text, at: { type: 'string', format: 'date-time' } })),
    lastSuccessAt: time,
    nextProbeAt: time,
    consecutiveFailures: count,
    breaker: oneOf('closed', 'open', 'half-open'),
  }),
  eras: list(oneOf('legacy', 'modern')),
  protocolVersions: texts,
  capabilities: free,
  serverInfo: { type: ['object', 'null'], additionalProperties: true },
  toolCount: count,
  promptCount: count,
  resourceCount: count,
  lastRefreshAt: time,
  refreshIntervalSeconds: { type: ['integer', 'null'] },
  passthroughHeaders: texts,
  authType: oneOf('none', 'basic', 'bearer', 'authheaders', 'query_param'),
  authUsername: maybeText,
  authPassword: masked,
  authToken: masked,
  authHeaderKey: maybeText,
  authHeaderValue: masked,
  authHeaders: maybe(list(object({ key: text, value: masked }))),
  authQueryParamKey: maybeText,
  authQueryParamValueMasked: masked,
  authValue: masked,
  authPasswordUnmasked: nothing,
  authTokenUnmasked: nothing,
  authHeaderValueUnmasked: nothing,
  authHeadersUnmasked: nothing,
  caCertificate: maybeText,
  caMode: { type: ['string', 'null'], enum: ['only', 'add', null] },
  ...identity,
  serverName: maybeText,
  checkHostname: flag,
  verify: flag,
  minTlsVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  crl: maybeText,
  pins: texts,
  next: maybe(object({ caCertificate: maybeText, ...identity })),
  tls: maybe(
    object({ ...profile, trust: oneOf('system', 'only', 'add'), insecure: flag, next: maybe(object(profile)) }),
  ),
  tags: texts,
  teamId: maybeText,
  ownerEmail: maybeText,
  visibility: oneOf('private', 'team', 'public'),
  signingAlgorithm: maybeText,
  createdAt: time,
  createdBy: maybeText,
  updatedAt: time,
  modifiedBy: maybeText,
  version: { ...count, description: 'One more with each change; the ETag is what If-Match takes.' },
  team: nothing,
  createdFromIp: nothing,
  createdVia: nothing,
  createdUserAgent: nothing,
  modifiedFromIp: nothing,
  modifiedVia: nothing,
  modifiedUserAgent: nothing,
  importBatchId: nothing,
  federationSource: nothing,
  lifecycleClaimedBy: nothing,
  lifecycleClaimedAt: nothing,
  lifecycleExpiresAt: nothing,
  oauthConfig: nothing,
  oneTimeAuth: { const: false },
  identityPropagation: nothing,
  caCertificateSig: nothing,
  gatewayMode: { const: 'cache' },
  skippedTools: { type: 'array', maxItems: 0 },
});

/** Every answer of the API by its schema's name. */
export const READ_SCHEMAS: Readonly<Record<string, Schema>> = {
  GatewayRead: gateway,
  GatewayPage: object({ gateways: list(ref('GatewayRead')), nextCursor: maybeText }),
  GatewayDeleted: object({ status: { const: 'success' }, message: text }),
  GatewayRefreshResponse: object({
    gatewayId: text,
    success: { const: true },
    error: nothing,
    toolsAdded: count,
    toolsUpdated: count,
    toolsRemoved: count,
    resourcesAdded: count,
    resourcesUpdated: count,
    resourcesRemoved: count,
    promptsAdded: count,
    promptsUpdated: count,
    promptsRemoved: count,
    validationErrors: texts,
    durationMs: count,
    refreshedAt: { type: 'string', format: 'date-time' },
  }),
  HandshakeReport: object({
    gatewayId: text,
    checkedAt: { type: 'string', format: 'date-time' },
    ok: { ...flag, description: 'Whether both sides accepted each other; without it the error says why.' },
    origin: text,
    serverName: text,
    protocol: maybeText,
    cipher: maybeText,
    alpn: maybeText,
    peerChain: { ...list(ref('Certificate')), description: "The server's chain as it was presented, leaf first." },
    presented: { ...maybe(ref('Certificate')), description: 'The certificate we presented.' },
    error: maybe(object({ code: text, message: text, hint: maybeText, stage: text })),
  }),
  Certificate: certificate,
  Problem: object(
    {
      type: { type: 'string', format: 'uri-reference' },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text,
      code: { ...text, description: 'Stable; what programs should look at.' },
      message: { ...text, description: 'The same sentence as detail.' },
      stage: text,
      retryable: {
        ...flag,
        description: 'Whether the same request may succeed later without anybody changing anything.',
      },
    },
    { hint: { ...text, description: 'What to do about it.' }, details: free },
  ),
};
