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
      try {
        return await registry.reload(scope);
      } finally {
        // it is asked for once: what cannot be read now is read again, what is not cut now never is
        registry.cut(cuts);
      }
    },
    problems() {
      const { trying, unread } = registry;
      const listed = new Map(registry.list().map((gateway) => [gateway.id, gateway]));
      return [...new Set([...listed.keys(), ...trying, ...unread.keys()])].flatMap((id) => {
        const gateway = listed.get(id);
        const about = { subject: keyOf('gateway', id), name: gateway?.record?.slug ?? id };
        if (trying.has(id)) return [{ ...about, ...NO_ANSWER_YET }];
        const problem = unread.get(id) ?? gateway?.refusal;
        return problem === undefined ? [] : [{ ...about, code: problem.code, message: problem.message }];
      });
    },
    files: () => registry.list().flatMap(({ record }) => (record ? namedFiles(record) : [])),
  };
}
