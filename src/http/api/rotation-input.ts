import { flag, object, text } from '../../registry/describe-field.ts';
import { readObject, refuseProblems } from '../../registry/field-schema.ts';
import type { FieldProblem, FieldSchema, ObjectSchema, PatchOf } from '../../registry/field-schema.ts';

const ACTIONS = ['reread', 'promote', 'retire', 'rollback'] as const;

const FIELDS = {
  action: {
    type: 'string',
    enum: ACTIONS,
    description:
      'reread (the default): every instance reads what is stored and every file again. promote: the next identity becomes the current one, which retires. retire: the retiring identity and its trust are dropped. rollback: the TLS side becomes what it was before its last change.',
  },
  gateway: text('The id or slug of a gateway; absent means everything. Needed for all but reread.'),
  cut: flag(
    'With reread: also ends every connection opened before, calls on them included, as for a key that was stolen.',
  ),
} as const satisfies Readonly<Record<string, FieldSchema>>;

/** What is sent to ask for a rotation. */
export const ROTATION_SCHEMA: ObjectSchema = object('A rotation to be begun.', FIELDS);

/** A rotation somebody asked for. */
export interface RotationRequest {
  readonly action: (typeof ACTIONS)[number];
  readonly gateway: string | undefined;
  readonly cut: boolean;
}

/** @throws GatewayError request_invalid naming each wrong field */
export function parseRotationRequest(body: unknown): RotationRequest {
  const problems: FieldProblem[] = [];
  const read: PatchOf<typeof FIELDS> = readObject(ROTATION_SCHEMA, body, { partial: false, problems });
  const { action, gateway, cut } = read;
  const request = { action: action ?? 'reread', gateway: gateway ?? undefined, cut: cut ?? false };
  if (request.action !== 'reread' && request.gateway === undefined)
    problems.push({ field: 'gateway', problem: `expected the gateway to ${request.action}` });
  if (request.action !== 'reread' && request.cut)
    problems.push({ field: 'cut', problem: `goes with reread only; ${request.action} cuts what is trusted no more` });
  refuseProblems(problems);
  return request;
}
