import type { TLSSocket } from 'node:tls';
import { GatewayError } from '../../../src/index.ts';
import type { Certificate, OcspGuard, OcspRefusal, PeerChain } from '../../../src/index.ts';
import { type RevocationCheck, revocationRefusal } from './revocation-check.ts';
import { fullestChain } from './shown-chain.ts';

/** A server whose handshake went well. */
export interface ShownPeer {
  readonly secure: TLSSocket;
  /** As its connection will show it. */
  readonly peer: PeerChain;
  /** The OCSP response it brought along. */
  readonly stapled: Uint8Array | undefined;
}

/** Why a server is refused after a handshake that let it pass, before anything is sent; never rejects. */
export type PeerCheck = (shown: ShownPeer) => Promise<GatewayError | undefined>;

/** What OCSP is asked with, on behalf of one channel. */
export interface OcspUse {
  readonly guard: OcspGuard;
  readonly name: string;
  readonly anchors: readonly Certificate[];
  /** Told of a connection whose server was good once; absent where nobody holds any. */
  readonly onRefused?: ((peer: PeerChain, refusal: OcspRefusal) => void) | undefined;
}

/** Revocation lists first, which are at hand; undefined where there is nothing to look up. */
export function createPeerCheck(lists: RevocationCheck | undefined, ocsp: OcspUse | undefined): PeerCheck | undefined {
  if (lists === undefined && ocsp === undefined) return undefined;
  return async (shown) => {
    // before anything is awaited: a socket that was closed tells no chain
    const chain = ocsp && fullestChain(shown.secure, shown.peer);
    const listed = lists && revocationRefusal(await lists(shown.secure, shown.peer));
    if (listed) return listed;
    return ocsp && chain && (await refusedByOcsp(shown, chain, ocsp));
  };
}

async function refusedByOcsp(
  { secure, peer, stapled }: ShownPeer,
  chain: PeerChain,
  { guard, name, anchors, onRefused }: OcspUse,
): Promise<GatewayError | undefined> {
  const about = { name, chain, anchors, stapled };
  const { refusal, untilMs } = await guard.admit(about);
  if (refusal)
    return new GatewayError(refusal.why === 'revoked' ? 'tls_server_revoked' : 'ocsp_unavailable', refusal.message);
  if (onRefused === undefined || secure.destroyed) return undefined;
  const refuse = (later: OcspRefusal): void => {
    // another connection with the same server may have been looked at in the same moment
    if (!secure.destroyed) onRefused(peer, later);
  };
  secure.once('close', guard.watch(about, untilMs, refuse));
  return undefined;
}
