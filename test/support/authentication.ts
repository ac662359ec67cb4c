/** What the authenticator is given: settings, tokens, connections. */
import { SignJWT } from 'jose';
import { utf8 } from '../../src/base/bytes.ts';
import type { Clock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import type { CallerSettings } from '../../src/identity/authenticator.ts';
import type { CallerConnection, Credentials } from '../../src/identity/credentials.ts';
import type { MintedCertificate } from './pki.ts';

const SECRET = 'k'.repeat(64);

/** As they are by default: tokens are taken, proxies are not believed. */
export const CALLER_SETTINGS: CallerSettings = {
  jwtSecretKey: new Secret(SECRET),
  jwtAlgorithm: 'HS256',
  jwtIssuer: 'postern',
  jwtAudience: 'postern',
  authRequired: true,
  clientAuthEnabled: true,
  trustProxyAuth: false,
  proxyUserHeader: 'X-Authenticated-User',
  trustedProxies: undefined,
  clientSubject: undefined,
};

/** A token with claims of choice, else of `ann` and for a minute; the key is the right one by default. */
export function signedToken(
  claims: Readonly<Record<string, unknown>>,
  clock: Clock,
  alg = 'HS256',
  secret = SECRET,
): Promise<string> {
  const usual = { sub: 'ann', iss: 'postern', aud: 'postern', exp: clock.nowMs() / 1000 + 60 };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg }).sign(utf8(secret));
}

/** A connection from an address, with the certificate that was shown over it and verified. */
export function connectionFrom(address: string | undefined, shown?: MintedCertificate): CallerConnection {
  return { address, chain: shown === undefined ? [] : [shown.certificate.der] };
}

/** An Authorization header, and the connection it came over. */
export function credentialsOf(authorization: string | undefined, connection?: CallerConnection): Credentials {
  return { headers: new Headers(authorization === undefined ? {} : { authorization }), connection };
}
