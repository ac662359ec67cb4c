import type { RotationParticipant } from '../rotation/participant.ts';
import { idOf, keyOf } from '../store/keys.ts';
import type { Servers } from './servers.ts';

/** The virtual servers as a part that rotates. */
export function rotatingServers(servers: Servers): RotationParticipant {
  return {
    name: 'servers',
    async apply({ scope }) {
      const isConcerned = scope === 'all' || scope.some((key) => idOf('server', key) !== undefined);
      return isConcerned && (await servers.reload());
    },
    problems: () =>
      servers.list().flatMap((server) => {
        if (server.record !== undefined) return [];
        const { code, message } = server.refusal;
        return [{ subject: keyOf('server', server.id), name: server.id, code, message }];
      }),
    files: () => [],
  };
}
