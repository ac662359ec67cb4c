import type { HandshakeReport } from './dialer.ts';

/** The report of a check without a handshake: over plain HTTP, or because nothing could be dialled. */
export function noHandshake({ origin, serverName, error }: Pick<HandshakeReport, 'origin' | 'serverName' | 'error'>) {
  return {
    ok: error === undefined,
    origin,
    serverName,
    error,
    protocol: undefined,
    cipher: undefined,
    alpn: undefined,
    peerChain: [],
    presented: undefined,
  } as const satisfies HandshakeReport;
}
