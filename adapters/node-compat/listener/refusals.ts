import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { EventSink, ListenerRefusal } from '../../../src/index.ts';
import { peerAddress } from './address.ts';

/** Codes of OpenSSL for what verification found; whatever else it finds, the certificate is not trusted. */
const OF_VERIFICATION: Readonly<Record<string, ListenerRefusal>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  INVALID_PURPOSE: 'certificate_wrong_purpose',
  CERT_REVOKED: 'certificate_revoked',
  UNABLE_TO_GET_CRL: 'certificate_unlisted',
  CRL_HAS_EXPIRED: 'certificate_unlisted',
  CRL_NOT_YET_VALID: 'certificate_unlisted',
  CRL_SIGNATURE_FAILURE: 'certificate_unlisted',
  CERT_CHAIN_TOO_LONG: 'chain_too_deep',
};

/** Why a certificate was not accepted, by the `authorizationError` of its socket. */
export const refusalFor = (code: unknown): ListenerRefusal => OF_VERIFICATION[String(code)] ?? 'certificate_untrusted';

/** Codes of handshakes that came to no end. */
const OF_HANDSHAKES: Readonly<Record<string, ListenerRefusal>> = {
  ERR_SSL_HTTP_REQUEST: 'tls_not_spoken',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version_unsupported',
  ERR_SSL_VERSION_TOO_LOW: 'version_unsupported',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher_unsupported',
};

/** Tells of handshakes that failed before anything was decided; a peer that only went away was not refused. */
export function reportFailedHandshakes(server: Server, events: EventSink): void {
  server.on('tlsClientError', ({ code = '' }: NodeJS.ErrnoException, socket: Partial<TLSSocket> = {}) => {
    if (!/^ERR_(?:SSL|TLS)_/.test(code)) return;
    const reason = OF_HANDSHAKES[code] ?? 'handshake_failed';
    const address = peerAddress(socket);
    events('listener.refused', { reason, ...(address !== undefined && { address }) });
  });
}
