import { describe, expect, test } from 'vitest';
import { classifyDial, classifyExchange } from '../../../adapters/node-compat/channel/classify.ts';
import type { Connection, DialFacts } from '../../../adapters/node-compat/channel/connection.ts';
import { GatewayError, type ErrorCode } from '../../../src/base/errors.ts';

const dialling: DialFacts = { host: 'mcp.example', port: 443, presented: true, handshaking: false, serverShown: false };
const shaking: DialFacts = { ...dialling, handshaking: true };
const shown: DialFacts = { ...shaking, serverShown: true };

const failing = (code: string, more: object = {}) => Object.assign(new Error(`raw ${code}`), { code, ...more });

describe('dialling', () => {
  test.each<[string, ErrorCode]>([
    ['ENOTFOUND', 'dns_not_found'],
    ['EAI_AGAIN', 'dns_not_found'],
    ['ECONNREFUSED', 'tcp_refused'],
    ['EHOSTUNREACH', 'tcp_unreachable'],
    ['ENETUNREACH', 'tcp_unreachable'],
    ['EADDRNOTAVAIL', 'tcp_unreachable'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['ECONNRESET', 'connection_lost'],
  ])('%s before TLS is %s', (code, expected) => {
    expect(classifyDial(failing(code), dialling)).toMatchObject({ code: expected, details: { reason: code } });
  });

  // As OpenSSL 1.1 and 3 and BoringSSL spell them; the handshakes of the refusal matrix meet only those of this Node.
  test.each<[string, ErrorCode]>([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_client_certificate_required'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tls_client_certificate_untrusted'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'tls_client_certificate_expired'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'tls_client_certificate_expired'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'tls_client_certificate_revoked'],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'tls_client_certificate_refused'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'tls_client_certificate_refused'],
    ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', 'tls_client_certificate_refused'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'tls_client_certificate_refused'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_version_unsupported'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls_version_unsupported'],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'tls_server_wrong_host'],
    ['ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME', 'tls_server_wrong_host'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_not_spoken'],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'tls_not_spoken'],
    ['ERR_SSL_SOMETHING_NEW', 'tls_handshake_failed'],
    ['CERT_HAS_EXPIRED', 'tls_server_expired'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_unknown_ca'],
    ['UNABLE_TO_GET_CRL', 'tls_crl_unusable'],
    ['SOMETHING_ELSE', 'tls_handshake_failed'],
  ])('%s is %s', (code, expected) => {
    expect(classifyDial(failing(code), shown)).toMatchObject({ code: expected });
  });

  test('a handshake failure before the server has shown itself is not about our certificate', () => {
    const code = 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE';
    expect(classifyDial(failing(code), shaking).code).toBe('tls_handshake_failed');
    expect(classifyDial(failing(code), { ...shown, presented: false }).code).toBe('tls_client_certificate_required');
  });

  test('a complaint about a certificate we did not send is a demand for one', () => {
    const facts = { ...shown, presented: false };
    const code = 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE';
    expect(classifyDial(failing(code), facts).code).toBe('tls_client_certificate_required');
  });

  test('the message keeps the reason of the TLS library, and no raw error goes along', () => {
    const error = classifyDial(failing('CERT_HAS_EXPIRED'), shown);
    expect(error.message).toMatch(/has expired \(cert has expired\)$/);
    expect(error.cause).toBeUndefined();
  });

  test('a wrong host names what the certificate is valid for', () => {
    const cert = { subjectaltname: 'DNS:a.example, DNS:*.b.example, IP Address:10.0.0.1', subject: { CN: 'x' } };
    const wrong = (met: object) => classifyDial(failing('ERR_TLS_CERT_ALTNAME_INVALID', { cert: met }), shown).message;
    expect(wrong(cert)).toBe('the certificate is valid for a.example, *.b.example, 10.0.0.1, not mcp.example');
    expect(wrong({ subject: { CN: 'old.example' } })).toBe('the certificate is valid for old.example, not mcp.example');
    expect(wrong({})).toBe('the certificate is valid for no name at all, not mcp.example');
  });
});

describe('exchanging', () => {
  const connection = (more: Partial<Connection> = {}): Connection => ({
    socket: undefined as never,
    tls: true,
    facts: shown,
    peer: [],
    alert: undefined,
    answered: false,
    ...more,
  });
  const fresh = { first: true, answered: false };

  test('an alert explains a lost connection better than its end', () => {
    const alert = failing('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    const lost = failing('UND_ERR_SOCKET');
    expect(classifyExchange(lost, connection({ alert }), fresh).code).toBe('tls_client_certificate_required');
    const answered = classifyExchange(lost, connection({ alert }), { first: false, answered: true });
    expect(answered.code).toBe('connection_lost');
  });

  test('only the first request of a TLS connection hints at the client certificate', () => {
    const lost = failing('ECONNRESET');
    expect(classifyExchange(lost, connection(), fresh).hint).toMatch(/refused ours/);
    expect(classifyExchange(lost, connection(), { ...fresh, first: false }).hint).toBeUndefined();
    expect(classifyExchange(lost, connection({ tls: false }), fresh).hint).toBeUndefined();
  });

  test.each<[string, ErrorCode]>([
    ['UND_ERR_HEADERS_TIMEOUT', 'upstream_timeout'],
    ['UND_ERR_INVALID_ARG', 'request_invalid'],
    ['UND_ERR_HEADERS_OVERFLOW', 'upstream_headers_too_large'],
    ['UND_ERR_DESTROYED', 'channel_closed'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'connection_lost'],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'connection_lost'],
    ['SOMETHING_ELSE', 'internal'],
  ])('%s is %s', (code, expected) => {
    expect(classifyExchange(failing(code), connection(), fresh).code).toBe(expected);
  });

  test('what is classified already stays as it is', () => {
    const error = new GatewayError('tcp_refused', 'known');
    expect(classifyExchange(error, undefined, fresh)).toBe(error);
  });
});
