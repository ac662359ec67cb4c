import { toGatewayError } from '../../../src/index.ts';
import type { EventSink, ListReader, RotationParticipant, RotationProblem, SettingValues } from '../../../src/index.ts';
import { openKey } from '../open-key.ts';
import { systemClock } from '../clock.ts';
import { pinFileOf } from './caller-rules.ts';
import type { LiveCallerRules } from './caller-rules.ts';
import { isUrl } from './caller-trust.ts';
import { readListenerIdentity } from './identity.ts';
import type { ListenerIdentity } from './identity.ts';
import type { Listener } from './listener.ts';

const NAME = 'listener';

export interface RotatingListenerOptions {
  readonly events: EventSink;
  readonly callerRules: LiveCallerRules;
  readonly readList: ListReader;
  /** Told of each identity before it takes the place of another, which waits for it; never rejects. */
  readonly prepare?: ((identity: ListenerIdentity) => Promise<void>) | undefined;
  /** Told of each identity that took the place of another. */
  readonly onPresented: (identity: ListenerIdentity) => void;
}

/**
 * The listener's certificate and whom it lets in, as a part that rotates: the last good identity stays when the files
 * cannot be used.
 */
export function rotatingListener(
  listener: Listener,
  settings: SettingValues,
  { events, callerRules, readList, prepare, onPresented }: RotatingListenerOptions,
): RotationParticipant {
  const { certFile, keyFile, keyPasswordFile, clientCa, clientCrl } = settings;
  const lists = clientCrl?.filter((source) => !isUrl(source)) ?? [];
  const named = [certFile, keyFile, keyPasswordFile, clientCa, ...lists, pinFileOf(settings)];
  const files = named.filter((path) => path !== undefined);
  let problem: RotationProblem | undefined;
  return {
    name: NAME,
    async apply({ scope }) {
      if (scope !== 'all') return false;
      const before = callerRules.current();
      try {
        const rules = await callerRules.read();
        const identity = await readListenerIdentity(settings, openKey, systemClock, readList);
        problem = undefined;
        const isHeldToOthers = callerRules.use(rules);
        if (identity === undefined || listener.identity === undefined) return isHeldToOthers;
        const isSame = identity.fingerprint === listener.identity.fingerprint;
        if (!isSame) await prepare?.(identity);
        // also the same one: certificates of callers may have expired
        await listener.present(identity);
        const { subject, notAfter } = identity.facts;
        if (isSame) return false;
        events('listener.reloaded', { subject, notAfter });
        onPresented(identity);
        return true;
      } catch (error) {
        callerRules.use(before);
        const { code, message } = toGatewayError(error);
        if (problem?.message !== message) events('listener.kept', { code, message });
        problem = { subject: NAME, name: NAME, code, message };
        return false;
      }
    },
    problems: () => (problem ? [problem] : []),
    files: () => files,
  };
}
