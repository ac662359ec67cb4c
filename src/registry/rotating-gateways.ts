import type { RotationParticipant } from '../rotation/participant.ts';
import { keyOf } from '../store/keys.ts';
import { namedFiles } from './named-files.ts';
import type { Registry } from './registry.ts';

const NO_ANSWER_YET = { code: 'connect_timeout', message: 'its server has not answered yet', pending: true } as const;

/** The gateways as a part that rotates: each that is refused is a problem of its own. */
export function rotatingGateways(registry: Registry): RotationParticipant {
  return {
    name: 'gateways',
    async apply({ scope, cuts }) {
      const replaced = await registry.reload(scope);
      registry.cut(cuts);
      return replaced;
    },
    problems: () =>
      registry.list().flatMap(({ id, record, refusal }) => {
        const about = { subject: keyOf('gateway', id), name: record?.slug ?? id };
        if (registry.trying.has(id)) return [{ ...about, ...NO_ANSWER_YET }];
        return refusal === undefined ? [] : [{ ...about, code: refusal.code, message: refusal.message }];
      }),
    files: () => registry.list().flatMap(({ record }) => (record ? namedFiles(record) : [])),
  };
}
