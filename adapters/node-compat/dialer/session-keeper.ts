import type { Clock, PeerChain } from '../../../src/index.ts';

/**
 * A resumed handshake looks at no date, CRL or host name again: the answer of the full one before it stands. Ten
 * minutes bound how stale that answer may be; within them a burst after a pause costs half a handshake.
 */
const MAX_AGE_MS = 600_000;

/** A TLS session, and what the server showed in the full handshake it came from: a resumed one shows nothing. */
export interface KeptSession {
  readonly session: Buffer;
  readonly peer: PeerChain;
}

/** The latest TLS session of one channel: one origin, one profile, never shared with another. */
export interface SessionKeeper {
  keep(session: Buffer, peer: PeerChain): void;
  offer(): KeptSession | undefined;
  forget(): void;
}

/** `reusable` is false for pinned profiles: a resumed handshake shows no certificate to compare with a pin. */
export function createSessionKeeper(clock: Clock, reusable: boolean): SessionKeeper {
  let kept: (KeptSession & { fullAtMs: number }) | undefined;
  return {
    keep(session, peer) {
      // A resumed connection hands out fresh tickets; they inherit the age of the handshake that checked.
      const fullAtMs = isYoung(kept) ? kept.fullAtMs : clock.monotonicMs();
      if (reusable) kept = { session, peer, fullAtMs };
    },
    offer: () => (isYoung(kept) ? kept : undefined),
    forget: () => void (kept = undefined),
  };

  function isYoung(it: typeof kept): it is NonNullable<typeof kept> {
    return it !== undefined && clock.monotonicMs() - it.fullAtMs < MAX_AGE_MS;
  }
}
