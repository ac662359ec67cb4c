import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { EventSink } from '../../../src/index.ts';
import { nameOf } from '../dialer/shown-chain.ts';
import { peerAddress } from './address.ts';

/**
 * Tells of a handshake after which a caller is served.
 *
 * @param shown what the caller showed, verified; absent where it showed nothing
 */
export function tellHandshake(socket: TLSSocket, shown: X509Certificate | undefined, events: EventSink): void {
  events('listener.handshake', {
    address: peerAddress(socket),
    protocol: socket.getProtocol() ?? undefined,
    ...(shown && {
      subject: nameOf(shown.subject),
      issuer: nameOf(shown.issuer),
      sha256: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
    }),
  });
}
