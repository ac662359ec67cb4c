import type { HandshakeReport } from '../tls/dialer.ts';
import { certificateView } from './tls-view.ts';

/** A handshake report as people and scripts see it. @see /openapi.json, HandshakeReport */
export type HandshakeView = ReturnType<typeof handshakeView>;

/** What one handshake showed, with the days each certificate has left. */
export function handshakeView(gatewayId: string, report: HandshakeReport, nowMs: number) {
  const { ok, origin, serverName, protocol, cipher, alpn, peerChain, presented, error } = report;
  return {
    gatewayId,
    checkedAt: new Date(nowMs).toISOString(),
    ok,
    origin,
    serverName,
    protocol: protocol ?? null,
    cipher: cipher ?? null,
    alpn: alpn ?? null,
    peerChain: peerChain.map((facts) => certificateView(facts, nowMs)),
    presented: presented === undefined ? null : certificateView(presented, nowMs),
    error:
      error === undefined
        ? null
        : { code: error.code, message: error.message, hint: error.hint ?? null, stage: error.facts.stage },
  };
}
