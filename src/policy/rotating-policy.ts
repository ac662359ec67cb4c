import { isInScope } from '../rotation/generation.ts';
import type { RotationParticipant } from '../rotation/participant.ts';
import { POLICY_KEY } from './policies.ts';
import type { Policies } from './policies.ts';

/** The policy as a part that rotates. */
export function rotatingPolicy(policies: Policies): RotationParticipant {
  return {
    name: 'policy',
    apply: async ({ scope }) => isInScope(POLICY_KEY, scope) && (await policies.reload()),
    problems: () => {
      const { refusal } = policies.held;
      if (refusal === undefined) return [];
      const { code, message } = refusal;
      return [{ subject: POLICY_KEY, name: 'policy', code, message }];
    },
    files: () => [],
  };
}
