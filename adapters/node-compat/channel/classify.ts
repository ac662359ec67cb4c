import { GatewayError } from '../../../src/index.ts';
import type { ErrorCode } from '../../../src/index.ts';
import type { Connection, DialFacts } from './connection.ts';
import {
  ALERTS,
  CLIENT_CERTIFICATE_REFUSED,
  CLIENT_CERTIFICATE_REQUIRED,
  HANDSHAKE_FAILED,
  LOCAL_REASONS,
  type TlsReason,
  VERIFY_REASONS,
} from './tls-reasons.ts';

interface SystemError extends Error {
  readonly code?: string;
  readonly reason?: string;
}

const UNREACHABLE = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
]);
const LOST = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Why a connection could not be opened. */
export function classifyDial(error: unknown, facts: DialFacts): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  const where = `${facts.host}:${facts.port}`;
  if (code.startsWith('EAI_') || code === 'ENOTFOUND' || code === 'ENODATA')
    return failure('dns_not_found', `no address found for ${facts.host}`, 'check the host name and the resolver', code);
  if (code === 'ECONNREFUSED')
    return failure(
      'tcp_refused',
      `nothing accepts connections at ${where}`,
      'check that the server runs and its port',
      code,
    );
  if (UNREACHABLE.has(code))
    return failure(
      'tcp_unreachable',
      `there is no route to ${where}`,
      'check the network between here and the server',
      code,
    );
  if (code === 'ETIMEDOUT' && !facts.handshaking) return connectTimeout(where, 'no connection was made', code);
  if (LOST.has(code))
    return facts.handshaking
      ? failure(
          'connection_lost',
          `${where} closed the connection during the TLS handshake`,
          identityHint(facts.presented),
          code,
        )
      : failure(
          'connection_lost',
          `${where} closed the connection before it was used`,
          'try again; check the server',
          code,
        );
  return classifyTls(error, facts);
}

/** Why a handshake failed, from the error the TLS stack reports during it or, under TLS 1.3, after it. */
export function classifyTls(error: unknown, facts: DialFacts): GatewayError {
  const code = alertOf(error) ?? codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongHost(error as HostError, facts.host);
  return explained(tlsReason(code, facts), code);
}

/** A server that was not believed, for a reason of `X509_verify_cert`. */
export function notVerified(code: string): GatewayError {
  return explained(VERIFY_REASONS[code] ?? HANDSHAKE_FAILED, code);
}

/** Why a request on an open connection got no complete response. */
export function classifyExchange(
  error: unknown,
  connection: Connection | undefined,
  facts: { readonly first: boolean; readonly answered: boolean },
): GatewayError {
  if (connection?.alert && !facts.answered) return classifyTls(connection.alert, connection.facts);
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return failure(
      'upstream_timeout',
      'the upstream sent no response in time',
      'see what the upstream is busy with',
      code,
    );
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return failure(
      'request_invalid',
      'the request has a method, path or header that HTTP/1.1 cannot carry',
      undefined,
      code,
    );
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return failure(
      'upstream_headers_too_large',
      "the headers of the upstream's answer have no end, or are too large",
      'see what answers in its place, such as a proxy',
      code,
    );
  if (isParserError(error))
    return failure(
      'upstream_protocol',
      'the upstream answered with something that is not HTTP/1.1',
      protocolHint(connection),
      code,
    );
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return failure('channel_closed', 'the channel was closed before the request was sent', undefined, code);
  if (LOST.has(code) || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code.startsWith('ERR_SSL_'))
    return lost(code, connection, facts);
  return new GatewayError('internal', 'a request failed in a way the gateway does not know', {
    details: { reason: code },
  });
}

/** A server that hung up without an alert once the handshake was done: its way to refuse a certificate, as a rule. */
export function closedAfterHandshake(facts: DialFacts): GatewayError {
  const message = 'the server closed the connection right after the handshake';
  return failure('connection_lost', message, identityHint(facts.presented), 'closed');
}

/** @param met what was reached before the time was over */
export function connectTimeout(where: string, met: string, code = 'timeout'): GatewayError {
  const hint = 'check address, port and firewalls; a server that accepts but does not answer is overloaded or not TLS';
  return failure('connect_timeout', `${where} did not answer within the connect timeout: ${met}`, hint, code);
}

function lost(
  code: string,
  connection: Connection | undefined,
  facts: { first: boolean; answered: boolean },
): GatewayError {
  if (facts.answered)
    return failure(
      'connection_lost',
      'the upstream closed the connection before its response was complete',
      undefined,
      code,
    );
  const message = 'the upstream closed the connection without answering the request; it may have received it';
  const hint = facts.first && connection?.tls ? identityHint(connection.facts.presented) : undefined;
  return failure('connection_lost', message, hint, code);
}

function identityHint(presented: boolean): string {
  return presented
    ? 'servers that refuse a client certificate often close without a word: the log of the server says whether it refused ours'
    : 'servers that demand a client certificate often close without a word: none is registered for this upstream';
}

function protocolHint(connection: Connection | undefined): string {
  return connection?.tls ? 'check that the port is an HTTP server' : 'use an https:// URL if the server speaks TLS';
}

function tlsReason(code: string, facts: DialFacts): TlsReason {
  const verify = VERIFY_REASONS[code];
  if (verify) return verify;
  // OpenSSL leaves the word out for the alerts of RFC 6066: `TLSV1_UNRECOGNIZED_NAME`.
  const alert = /(?:ALERT|TLSV1)_(?!ALERT)(\w+)$/.exec(code)?.[1] ?? '';
  if (alert === 'HANDSHAKE_FAILURE' && facts.serverShown)
    return facts.presented ? CLIENT_CERTIFICATE_REFUSED : CLIENT_CERTIFICATE_REQUIRED;
  const found = ALERTS[alert] ?? LOCAL_REASONS[code.replace(/^ERR_SSL_/, '')] ?? HANDSHAKE_FAILED;
  // A server that complains about a certificate we did not send wants one.
  return found.code.startsWith('tls_client_certificate_') && !facts.presented ? CLIENT_CERTIFICATE_REQUIRED : found;
}

interface HostError extends Error {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string | string[] } };
}

function wrongHost(error: HostError, dialled: string): GatewayError {
  const host = error.host ?? dialled;
  const names = (error.cert?.subjectaltname ?? '')
    .split(', ')
    .map((name) => name.replace(/^(DNS|IP Address|URI|email):/, ''));
  const valid =
    names.filter((name) => name !== '').join(', ') || [error.cert?.subject?.CN ?? 'no name at all'].flat().join(', ');
  return new GatewayError('tls_server_wrong_host', `the certificate is valid for ${valid}, not ${host}`, {
    hint: 'register the URL with a name the certificate carries, or set server_name to one',
    details: { reason: 'ERR_TLS_CERT_ALTNAME_INVALID', expected: host, validFor: names },
  });
}

function explained(reason: TlsReason, code: string): GatewayError {
  const name = code
    .replace(/^ERR_SSL_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
  return failure(reason.code, name === '' ? reason.message : `${reason.message} (${name})`, reason.hint, code);
}

function failure(code: ErrorCode, message: string, hint: string | undefined, reason: string): GatewayError {
  return new GatewayError(code, message, { ...(hint === undefined ? {} : { hint }), details: { reason } });
}

/** undici's parser error has a code for some of its reasons only. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** The alert rustls names in words, as OpenSSL would have: Deno's code beside it may be that of another. */
function alertOf(error: unknown): string | undefined {
  const name = /received fatal alert: (\w+)$/.exec((error as SystemError | undefined)?.message ?? '')?.[1];
  return name && `ERR_SSL_ALERT_${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
}

function codeOf(error: unknown): string {
  return (error as SystemError | undefined)?.code ?? '';
}
