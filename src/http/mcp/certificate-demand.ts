import { GatewayError } from '../../base/errors.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { Credentials } from '../../identity/credentials.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Incoming } from '../access.ts';

/** Whether whoever sent credentials showed a certificate. @throws GatewayError unauthenticated where it is not good */
export type Certifies = (credentials: Credentials) => boolean | Promise<boolean>;

/**
 * Holds a caller to what a server says of certificates: `required` lets nobody in who showed none, whatever names the
 * caller; `none` takes a token, and no certificate instead of it. A promise only where something has to be asked.
 *
 * @throws GatewayError forbidden, unauthenticated
 */
export function meetDemand(
  { clientAuth }: Pick<VirtualServer, 'clientAuth'>,
  { method }: Principal,
  { request, connection }: Incoming,
  certifies: Certifies,
): void | Promise<void> {
  if (clientAuth === undefined || clientAuth === 'optional') return undefined;
  const isByCertificate = method === 'certificate' || method === 'proxy';
  if (clientAuth === 'none') {
    if (isByCertificate) throw tokenWanted();
    return undefined;
  }
  if (isByCertificate) return undefined;
  const shown = certifies({ headers: request.headers, connection });
  return shown instanceof Promise ? shown.then(refuseUnlessShown) : refuseUnlessShown(shown);
}

function refuseUnlessShown(isShown: boolean): void {
  if (isShown) return;
  throw new GatewayError('forbidden', 'this server asks callers for a client certificate, and none was shown', {
    hint: 'connect with a certificate, or through a proxy that is trusted; a token may come beside it',
  });
}

const tokenWanted = (): GatewayError =>
  new GatewayError('unauthenticated', 'this server takes a bearer token, and no client certificate instead of it', {
    hint: 'send a token as Authorization: Bearer …',
  });
