import type { Clock } from '../../../src/index.ts';

/**
 * A resumed handshake looks at no date, CRL or host name again: the answer of the full one before it stands. Ten
 * minutes bound how stale that answer may be; within them a burst after a pause costs half a handshake.
 */
const MAX_AGE_MS = 600_000;

/** The latest TLS session of one channel: one origin, one profile, never shared with another. */
export interface SessionKeeper {
  keep(session: Buffer): void;
  offer(): Buffer | undefined;
}

/** `reusable` is false for pinned profiles: a resumed handshake shows no certificate to compare with a pin. */
export function createSessionKeeper(clock: Clock, reusable: boolean): SessionKeeper {
  let kept: { session: Buffer; fullAtMs: number } | undefined;
  return {
    keep(session) {
      // A resumed connection hands out fresh tickets; they inherit the age of the handshake that checked.
      const fullAtMs = isYoung(kept) ? kept.fullAtMs : clock.monotonicMs();
      if (reusable) kept = { session, fullAtMs };
    },
    offer: () => (isYoung(kept) ? kept.session : undefined),
  };

  function isYoung(it: typeof kept): it is NonNullable<typeof kept> {
    return it !== undefined && clock.monotonicMs() - it.fullAtMs < MAX_AGE_MS;
  }
}
