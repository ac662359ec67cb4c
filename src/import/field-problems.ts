import type { Fields } from '../base/fields.ts';
import { toGatewayError } from '../base/errors.ts';
import { readObject } from '../registry/field-schema.ts';
import type { FieldProblem } from '../registry/field-schema.ts';
import { GATEWAY_SCHEMA } from '../registry/gateway-fields.ts';
import { refuseUnsupported } from '../registry/unsupported.ts';
import { parseUpstreamUrl } from '../registry/upstream-url.ts';
import type { Problem } from './imported-entry.ts';

/** What a registration with these fields would be refused for. The name is left out: it may still change. */
export function fieldProblems({ name: _name, ...fields }: Fields): readonly Problem[] {
  const problems: FieldProblem[] = [];
  const patch = readObject(GATEWAY_SCHEMA, fields, { partial: true, problems });
  if (problems.length > 0)
    return problems.map(({ field, problem }) => ({ kind: 'invalid', name: field, message: `${field} ${problem}` }));
  try {
    refuseUnsupported(patch);
    if (typeof patch['url'] === 'string') parseUpstreamUrl(patch['url']);
    return [];
  } catch (error) {
    const { code, message, details = {} } = toGatewayError(error);
    const [kind, field] =
      code === 'url_refused' ? (['invalid', 'url'] as const) : (['unsupported', details['field']] as const);
    return [{ kind, name: String(field), message }];
  }
}
