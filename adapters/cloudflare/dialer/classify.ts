import { GatewayError } from '../../../src/index.ts';

/** What workerd 2026-11-17 says of a connection that was refused, or ended before its time. */
const LOST = /network connection lost/i;

/**
 * Why a request failed, as far as the platform tells, which is hardly: an unknown host, a server that is not believed
 * and one that does not believe us are all an «internal error». What it wrote goes no further.
 */
export function classify(error: unknown, origin: string): GatewayError {
  if (error instanceof GatewayError) return error;
  const { host, protocol } = new URL(origin);
  if (error instanceof TypeError)
    return new GatewayError('request_invalid', 'the request has a method, path or header that HTTP cannot carry');
  if (LOST.test(String(error)))
    return new GatewayError('connection_lost', `${host} refused the connection, or hung up`, {
      hint: 'check that the server runs; one that wants a client certificate may hang up on others: see client_binding',
    });
  if (protocol === 'http:')
    return new GatewayError('tcp_unreachable', `the platform could not reach ${host}, and does not say why`, {
      hint: 'check the host name, that the server runs, and that Workers can reach it',
    });
  return new GatewayError(
    'tls_handshake_failed',
    `no connection to ${host} was made, and the platform does not say why`,
    {
      hint: "check the host name, that the authorities of the platform vouch for the server's certificate, and that it accepts the one of client_binding",
    },
  );
}
