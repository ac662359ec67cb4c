import type { ErrorCode } from '../../../src/index.ts';

/** What a TLS failure means for the people who must act, by the name the runtime's TLS stack gives it. */
export interface TlsReason {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

const reason = (code: ErrorCode, message: string, hint: string): TlsReason => ({ code, message, hint });

const unknownCa = reason(
  'tls_unknown_ca',
  'the server certificate is not issued by a CA this upstream trusts',
  'set ca_certificate to the CA that issued the server certificate, or ca_mode to add if public CAs are wanted as well',
);
const crlUnusable = reason(
  'tls_crl_unusable',
  'revocation cannot be checked: a CRL is missing, expired or not signed by the issuer',
  'give a current CRL for every issuer in the chain, up to the root',
);
const notSpoken = reason(
  'tls_not_spoken',
  'the server does not speak TLS on this port',
  'use an http:// URL if the server is meant to be plain, else the port its TLS listener is on',
);
const tooOld = reason(
  'tls_version_unsupported',
  'the server offers no TLS version this upstream accepts',
  'have the server offer TLS 1.2 or 1.3; older versions are never used',
);
const failed = reason(
  'tls_handshake_failed',
  'the TLS handshake failed',
  'compare what the server requires (cipher suites, groups, protocols) with what is offered',
);

/** Codes of `X509_verify_cert`, as Node, Bun and Deno's node:tls spell them: why we did not believe the server. */
export const VERIFY_REASONS: Readonly<Record<string, TlsReason>> = {
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
  CERT_UNTRUSTED: unknownCa,
  CERT_SIGNATURE_FAILURE: unknownCa,
  INVALID_CA: unknownCa,
  CERT_HAS_EXPIRED: reason(
    'tls_server_expired',
    "a certificate in the server's chain has expired",
    'have the server renew its certificate; check the clock of this machine if the dates look right',
  ),
  CERT_NOT_YET_VALID: reason(
    'tls_server_not_yet_valid',
    "a certificate in the server's chain is not yet valid",
    'check the clocks of both machines and the certificate',
  ),
  INVALID_PURPOSE: reason(
    'tls_server_wrong_purpose',
    'the server certificate may not be used by a server',
    'have the server use a certificate whose extended key usage includes serverAuth',
  ),
  CERT_REJECTED: unknownCa,
  CERT_REVOKED: reason(
    'tls_server_revoked',
    "a certificate in the server's chain is revoked by the configured CRL",
    'have the server use a certificate that is not revoked',
  ),
  UNABLE_TO_GET_CRL: crlUnusable,
  UNABLE_TO_GET_CRL_ISSUER: crlUnusable,
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: crlUnusable,
  CRL_SIGNATURE_FAILURE: crlUnusable,
  CRL_NOT_YET_VALID: crlUnusable,
  CRL_HAS_EXPIRED: crlUnusable,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: crlUnusable,
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: crlUnusable,
};

/** What OpenSSL and BoringSSL report of our own side of the handshake. */
export const LOCAL_REASONS: Readonly<Record<string, TlsReason>> = {
  WRONG_VERSION_NUMBER: notSpoken,
  PACKET_LENGTH_TOO_LONG: notSpoken,
  HTTP_REQUEST: notSpoken,
  HTTPS_PROXY_REQUEST: notSpoken,
  RECORD_LENGTH_MISMATCH: notSpoken,
  UNSUPPORTED_PROTOCOL: tooOld,
  VERSION_TOO_LOW: tooOld,
  NO_PROTOCOLS_AVAILABLE: tooOld,
};

const unknownName = reason(
  'tls_server_wrong_host',
  'the server serves no site of this name',
  'register the URL with the name the server knows, or set server_name to it',
);

const CLIENT_HINT = 'register a client certificate (client_cert and client_key) that the server accepts';

/** Alerts about our certificate; the server that sends one has made up its mind about us. */
export const IDENTITY_ALERTS: Readonly<Record<string, TlsReason>> = {
  CERTIFICATE_REQUIRED: reason(
    'tls_client_certificate_required',
    'the server demands a client certificate and got none',
    CLIENT_HINT,
  ),
  UNKNOWN_CA: reason(
    'tls_client_certificate_untrusted',
    'the server does not trust the CA of our client certificate',
    "use a client certificate from a CA the server trusts, and include the intermediates; or add our CA to the server's",
  ),
  CERTIFICATE_EXPIRED: reason(
    'tls_client_certificate_expired',
    'the server says our client certificate has expired',
    'replace the client certificate; check the clocks of both machines',
  ),
  CERTIFICATE_REVOKED: reason(
    'tls_client_certificate_revoked',
    'the server says our client certificate is revoked',
    'replace the client certificate and its key',
  ),
};

const refused = reason(
  'tls_client_certificate_refused',
  'the server refused our client certificate',
  'the log of the server says why; check names, purpose (clientAuth), dates and issuer of the client certificate',
);

/** Alerts by the name OpenSSL gives them, without the `SSLV3_` or `TLSV1_` in front. */
export const ALERTS: Readonly<Record<string, TlsReason>> = {
  ...IDENTITY_ALERTS,
  BAD_CERTIFICATE: refused,
  UNSUPPORTED_CERTIFICATE: refused,
  CERTIFICATE_UNKNOWN: refused,
  ACCESS_DENIED: refused,
  DECRYPT_ERROR: refused,
  HANDSHAKE_FAILURE: failed,
  PROTOCOL_VERSION: tooOld,
  UNRECOGNIZED_NAME: unknownName,
  // as rustls spells it
  UNRECOGNISED_NAME: unknownName,
  NO_APPLICATION_PROTOCOL: reason(
    'tls_handshake_failed',
    'the server does not offer HTTP/1.1 over TLS',
    'have the server offer http/1.1 in ALPN',
  ),
};

export const CLIENT_CERTIFICATE_REQUIRED: TlsReason = IDENTITY_ALERTS['CERTIFICATE_REQUIRED'] ?? failed;
export const CLIENT_CERTIFICATE_REFUSED: TlsReason = refused;
export const HANDSHAKE_FAILED: TlsReason = failed;
