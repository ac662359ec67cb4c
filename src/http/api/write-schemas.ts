import { SERVER_SCHEMA, SERVER_UNSUPPORTED } from '../../catalog/server-fields.ts';
import type { FieldSchema } from '../../registry/field-schema.ts';
import { GATEWAY_SCHEMA } from '../../registry/gateway-fields.ts';
import { UNSUPPORTED } from '../../registry/unsupported.ts';
import { REVOCATION_SCHEMA, TOKEN_SCHEMA } from './token-input.ts';
import { ROTATION_SCHEMA } from './rotation-input.ts';

type Schema = Readonly<Record<string, unknown>>;

const SPELLING =
  'Every field may also be written in snake_case (ca_mode for caMode), but only once. Unknown fields are refused.';

/** JSON Schema of what is sent to the API, made of the table the input is read by. */
export const WRITE_SCHEMAS: Readonly<Record<string, Schema>> = {
  GatewayCreate: {
    ...(schemaOf(GATEWAY_SCHEMA) as object),
    anyOf: [{ required: ['url'] }, { required: ['command'] }],
    description: `A gateway to be registered. ${SPELLING}`,
    examples: [
      { name: 'time', url: 'http://127.0.0.1:9000/mcp' },
      {
        name: 'warehouse',
        url: 'https://warehouse.example.com:8443/mcp',
        caCertificate: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
        clientCert: '/etc/postern/certs/warehouse/client.crt',
        clientKey: '/etc/postern/certs/warehouse/client.key',
      },
      {
        name: 'files',
        transport: 'STDIO',
        command: 'npx',
        args: ['-y', '@example/files', '/srv'],
        env: { TOKEN: 's3cret' },
      },
    ],
  },
  GatewayUpdate: {
    ...(schemaOf({ ...GATEWAY_SCHEMA, required: [] }, GATEWAY_SCHEMA.required) as object),
    description: `A change of a gateway: absent keeps, ***** keeps a secret, null clears. ${SPELLING}`,
    examples: [{ description: 'stock levels', clientKeyPassword: null }],
  },
  ServerCreate: {
    ...(schemaOf(SERVER_SCHEMA) as object),
    description: `A virtual server to be saved. ${SPELLING}`,
    examples: [
      { name: 'Sales desk', members: [{ gateway: 'warehouse', tools: ['find_*'] }] },
      {
        name: 'Everything but the ledger',
        members: [{ gateway: 'ledger', tools: [], prompts: [], resources: [] }, { gateway: '*' }],
      },
    ],
  },
  ServerUpdate: {
    ...(schemaOf({ ...SERVER_SCHEMA, required: [] }, SERVER_SCHEMA.required) as object),
    description: `A change of a virtual server: absent keeps, null clears. ${SPELLING}`,
    examples: [{ description: 'what sales needs', members: [{ gateway: '*', denyTools: ['delete_*'] }] }],
  },
  TokenCreate: {
    ...(schemaOf(TOKEN_SCHEMA) as object),
    description: `A token to be made. ${SPELLING}`,
    examples: [
      { subject: 'nightly-report' },
      {
        subject: 'build',
        name: 'CI of the shop',
        expiresAt: '2027-01-01T00:00:00Z',
        servers: ['warehouse'],
        tools: ['find_*'],
        networks: ['10.1.0.0/16'],
      },
    ],
  },
  RevocationCreate: {
    ...(schemaOf(REVOCATION_SCHEMA) as object),
    description: `Signed tokens to be taken back: one by its jti, or those of a subject. ${SPELLING}`,
    examples: [{ jti: 'uQ0FJrYBk9Xv4c0N0mXw2g' }, { subject: 'ann', issuedBefore: '2026-12-01T00:00:00Z' }],
  },
  RotationRequest: {
    ...(schemaOf(ROTATION_SCHEMA) as object),
    description: 'A rotation to be begun. Unknown fields are refused.',
    examples: [{}, { gateway: 'warehouse', cut: true }],
  },
};

/** A field's schema for the document: what is not required may be null. */
function schemaOf(schema: FieldSchema, neverNull: readonly string[] = []): Schema {
  if ('properties' in schema) {
    const required = schema.required ?? [];
    const properties = Object.entries(schema.properties).map(([name, field]) => {
      const inner = accepted(name, schemaOf(field));
      return [name, required.includes(name) || neverNull.includes(name) ? inner : orNull(inner)];
    });
    return {
      ...schema,
      properties: Object.fromEntries(properties),
      ...(required.length === 0 && { required: undefined }),
    };
  }
  return schema.type === 'array' ? { ...schema, items: schemaOf(schema.items) } : { ...schema };
}

/** Without what is known and refused, so that whoever follows the document is not refused. */
function accepted(name: string, schema: Schema): Schema {
  const refusals = [...UNSUPPORTED, ...SERVER_UNSUPPORTED].filter(({ field }) => field === name);
  if (refusals.length === 0) return schema;
  const candidates = schema['type'] === 'boolean' ? [true, false] : (schema['enum'] as readonly unknown[] | undefined);
  const values = candidates?.filter((value) => !refusals.some(({ asks }) => asks(value)));
  return values === undefined ? { description: schema['description'], type: 'null' } : { ...schema, enum: values };
}

function orNull({ type, enum: values, ...rest }: Schema): Schema {
  if (type === 'null') return { type, ...rest };
  return { ...rest, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...(values as unknown[]), null] }) };
}
