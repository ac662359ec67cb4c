import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import type { TokenTrust } from '../identity/token-trust.ts';
import type { RotationParticipant, RotationProblem } from '../rotation/participant.ts';

const NAME = 'token keys';

/**
 * The keys tokens are verified with, and whom issuers' servers are known by: read anew with everything. What cannot be
 * used leaves the last good ones in force.
 */
export function rotatingTokenKeys(
  trust: TokenTrust,
  authenticator: Authenticator,
  events: EventSink,
): RotationParticipant {
  let problem: RotationProblem | undefined;
  return {
    name: NAME,
    async apply({ scope }) {
      if (scope !== 'all') return false;
      try {
        const isChanged = await trust.reread();
        problem = undefined;
        if (!isChanged) return false;
        authenticator.useKeys(trust.keys);
        events('token_keys.changed', { kids: trust.keys.flatMap(({ kid }) => kid ?? []) });
        return true;
      } catch (error) {
        const { code, message } = toGatewayError(error);
        if (problem?.message !== message) events('token_keys.kept', { code, message });
        problem = { subject: NAME, name: NAME, code, message };
        return false;
      }
    },
    problems: () => (problem ? [problem] : []),
    files: () => trust.files,
  };
}
