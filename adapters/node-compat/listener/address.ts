import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { GatewayError, isLoopback } from '../../../src/index.ts';
import type { ListenerIdentity } from './identity.ts';

const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** A URL that reaches the listener from this machine, under a name its certificate carries where there is one. */
export function urlOf(listening: string, port: number, identity: ListenerIdentity | undefined): string {
  const host = unbracketed(listening);
  const reachable = ANY_ADDRESS[host] ?? host;
  if (identity === undefined) return `http://${inUrl(reachable)}:${port}`;
  const certificate = new X509Certificate(identity.chainPem);
  const candidates = [reachable, ...(isLoopback(reachable) ? ['localhost', '127.0.0.1'] : [])];
  const covered = candidates.find((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)));
  return `https://${inUrl(covered ?? reachable)}:${port}`;
}

/** The names callers may use for the listener: the address it was told, and what its certificate says. */
export function namesOf(listening: string, identity: ListenerIdentity | undefined): readonly string[] {
  const { dnsNames = [], ipAddresses = [] } = identity?.facts ?? {};
  return [unbracketed(listening), ...dnsNames, ...ipAddresses].map(inUrl);
}

/** The address of a peer as people write it: where a socket takes both kinds, an IPv4 address comes as one of IPv6. */
export const peerAddress = ({ remoteAddress }: { readonly remoteAddress?: string | undefined }): string | undefined =>
  remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '');

/** Sockets take IPv6 addresses without the brackets URLs need. */
export const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');
const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Why an address cannot be listened on. */
export function cannotListen(host: string, port: number, { code = 'unknown' }: NodeJS.ErrnoException): GatewayError {
  const reason = code === 'EADDRINUSE' ? 'another process listens there' : code;
  return new GatewayError('config_invalid', `cannot listen on ${host} port ${port}: ${reason}`, {
    hint: 'choose another --port or --host; --port 0 picks a free port',
  });
}
