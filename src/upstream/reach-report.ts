import { GatewayError } from '../base/errors.ts';
import type { HandshakeReport } from '../tls/dialer.ts';
import { noHandshake } from '../tls/no-handshake.ts';
import type { HealthReason } from './health.ts';
import { placeOf, type UpstreamConfig } from './upstream-config.ts';

/** What a check shows of an upstream without TLS: whether it answers. */
export function reachReport({ target }: UpstreamConfig, reason: HealthReason | undefined): HandshakeReport {
  const { origin, host } = placeOf(target);
  return noHandshake({
    origin,
    serverName: host,
    error: reason && new GatewayError(reason.code, reason.message, reason),
  });
}
