import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { MASK } from '../registry/field-schema.ts';
import { authOfHeaders } from './header-auth.ts';
import { Hidden } from './hidden.ts';
import type { Findings } from './imported-entry.ts';
import { memberOf, textOf } from './members.ts';

const SEALED = 'is masked or encrypted in the file';

/**
 * How a gateway of ContextForge logs in. Its exports hold credentials under its own key, or masked: those are missing.
 * What it stored in the clear is taken over.
 */
export function authFields(gateway: Fields, findings: Findings): Fields {
  const type = (textOf(gateway, 'authType') ?? 'none').toLowerCase();
  const plain = plainHeaders(gateway, findings);
  if (plain !== undefined) return plain;
  const secret = (field: string, name: string): Fields => secretField(gateway, field, name, findings);
  switch (type) {
    case 'none':
      return {};
    case 'basic':
      return {
        authType: 'basic',
        ...nameField(gateway, 'authUsername', 'auth_username', findings),
        ...secret('authPassword', 'auth_password'),
      };
    case 'bearer':
      return { authType: 'bearer', ...secret('authToken', 'auth_token') };
    case 'authheaders':
      return {
        authType: 'authheaders',
        ...nameField(gateway, 'authHeaderKey', 'auth_header_key', findings),
        ...secret('authHeaderValue', 'auth_header_value'),
      };
    case 'query_param': {
      const [name] = Object.keys(asFields(memberOf(gateway, 'authQueryParams')) ?? {});
      const key =
        name === undefined
          ? nameField(gateway, 'authQueryParamKey', 'auth_query_param_key', findings)
          : { authQueryParamKey: name };
      return { authType: 'query_param', ...key, ...secret('authQueryParamValue', 'auth_query_param_value') };
    }
    default:
      findings.problems.push({
        kind: 'unsupported',
        name: 'auth_type',
        message: `auth_type ${type.slice(0, 32)} is not supported yet`,
      });
      return {};
  }
}

/** Older versions stored some credentials as they were: a map of headers, or a list of them. */
function plainHeaders(gateway: Fields, findings: Findings): Fields | undefined {
  const value = asFields(memberOf(gateway, 'authValue'));
  const list = memberOf(gateway, 'authHeaders');
  const pairs = value
    ? Object.entries(value)
    : (Array.isArray(list) ? list : []).filter(isFields).map(({ key, value: text }) => [key, text] as const);
  const headers = pairs.flatMap(([name, text]) =>
    typeof name === 'string' && typeof text === 'string' && text !== MASK
      ? [[name, { text, template: text, sources: [] }] as const]
      : [],
  );
  return headers.length > 0 && headers.length === pairs.length ? authOfHeaders(headers, findings) : undefined;
}

function secretField(gateway: Fields, field: string, name: string, { problems }: Findings): Fields {
  const text = textOf(gateway, field);
  if (text !== undefined && text !== MASK) return { [field]: new Hidden(text) };
  problems.push({ kind: 'secret', name, message: `${name} ${SEALED}` });
  return {};
}

function nameField(gateway: Fields, field: string, name: string, { problems }: Findings): Fields {
  const text = textOf(gateway, field);
  if (text !== undefined) return { [field]: text };
  problems.push({ kind: 'secret', name, message: `${name} ${SEALED}` });
  return {};
}
