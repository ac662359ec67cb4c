import { readObject, refuseProblems, snakeOf } from './field-schema.ts';
import type { FieldProblem } from './field-schema.ts';
import { GATEWAY_SCHEMA } from './gateway-fields.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import { refuseUnsupported } from './unsupported.ts';

/** What a registration says. */
export type GatewayCreate = GatewayPatch & { readonly name: string };

/** Reads a registration. @throws GatewayError request_invalid naming each wrong field, feature_unsupported */
export function parseGatewayCreate(body: unknown): GatewayCreate {
  // name is required by the schema
  return parse(body, false) as GatewayCreate;
}

/** Reads a change. @throws GatewayError request_invalid naming each wrong field, feature_unsupported */
export function parseGatewayUpdate(body: unknown): GatewayPatch {
  return parse(body, true);
}

function parse(body: unknown, partial: boolean): GatewayPatch {
  const problems: FieldProblem[] = [];
  const fields = readObject(GATEWAY_SCHEMA, body, { partial, problems });
  const patch = unfoldTlsConfig(fields, problems);
  problems.push(...problemsWithUrl(patch, partial));
  refuseProblems(problems);
  refuseUnsupported(patch);
  return patch;
}

/** A server behind a URL needs one; whether a program may have one is not for its form to say. */
function problemsWithUrl({ url, transport, command }: GatewayPatch, partial: boolean): readonly FieldProblem[] {
  const isProgram = transport === 'STDIO' || (transport === undefined && command !== undefined);
  if (isProgram) return [];
  if (url === null) return [{ field: 'url', problem: 'must not be null' }];
  return url === undefined && !partial ? [{ field: 'url', problem: 'is required' }] : [];
}

const TLS_CONFIG = { caCert: 'caCertificate', clientCert: 'clientCert', clientKey: 'clientKey' } as const;

function unfoldTlsConfig({ tlsConfig, ...fields }: Record<string, unknown>, problems: FieldProblem[]): GatewayPatch {
  const patch = { ...fields };
  for (const [inner, outer] of Object.entries(TLS_CONFIG)) {
    const value = (tlsConfig as Readonly<Record<string, unknown>> | null | undefined)?.[inner];
    if (value === undefined) continue;
    if (outer in fields)
      problems.push({ field: outer, problem: `is given twice, also as tls_config.${snakeOf(inner)}` });
    patch[outer] = value;
  }
  // readObject has read every field by its schema
  return patch;
}
