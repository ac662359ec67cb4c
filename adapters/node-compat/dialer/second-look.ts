import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { refusalOf } from '../../../src/index.ts';
import type { GatewayError, PeerChain, ServerRefusal, TlsProfile } from '../../../src/index.ts';
import { notVerified } from '../channel/classify.ts';
import type { Connect } from '../channel/connection.ts';
import { createConnect, type DialDeps } from './dial.ts';
import { createSessionKeeper } from './session-keeper.ts';
import { completedChain } from './shown-chain.ts';

/** A connect that shows nothing of ours and believes nothing of the server's: to look at what it presents. */
export function connectToLook(profile: TlsProfile, origin: string, deps: DialDeps): Connect {
  return (done) => {
    const stranger = { ...profile, identity: undefined, verify: false, checkHostname: false, pins: [] };
    // hardly ever needed, so it is not made ahead
    const context = createSecureContext({ minVersion: profile.minVersion });
    const sessions = createSessionKeeper(deps.clock, false);
    const dial = { profile: stranger, context, sessions };
    return createConnect(origin, dial, { ...deps, events: () => {} })(done);
  };
}

/** Codes of OpenSSL for what Deno calls UNABLE_TO_VERIFY_LEAF_SIGNATURE, all of it. */
const REASONS: Readonly<Partial<Record<ServerRefusal, string>>> = {
  expired: 'CERT_HAS_EXPIRED',
  'not-yet-valid': 'CERT_NOT_YET_VALID',
  'wrong-purpose': 'INVALID_PURPOSE',
};

/** `connect`, whose refusals of an unknown authority are looked into by one more handshake before they are told. */
export function explaining(connect: Connect, profile: TlsProfile, look: Connect, clock: DialDeps['clock']): Connect {
  return (done) => {
    let isGivenUp = false;
    const tell = async (refusal: GatewayError, chain: PeerChain): Promise<void> => {
      const explained = await explain(refusal, chain, profile, clock.nowMs());
      if (!isGivenUp) done(explained, undefined);
    };
    let giveUp = connect((error, connection) => {
      if (error?.code !== 'tls_unknown_ca') return done(error, connection);
      giveUp = look((_, other) => {
        const chain = other ? completedChain(other.socket as TLSSocket) : [];
        other?.socket.destroy();
        void tell(error, chain);
      });
    });
    return () => {
      isGivenUp = true;
      giveUp();
    };
  };
}

/** What a refusal was for, going by the chain the server showed afterwards; never rejects. */
export async function explain(
  error: GatewayError,
  chain: PeerChain,
  { trust }: TlsProfile,
  nowMs: number,
): Promise<GatewayError> {
  try {
    const reason = REASONS[await refusalOf(chain, trust, nowMs)];
    return reason === undefined ? error : notVerified(reason);
  } catch {
    return error;
  }
}
