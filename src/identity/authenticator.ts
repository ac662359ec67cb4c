import type { Clock } from '../base/clock.ts';
import { mintPrincipal } from './principal.ts';
import type { Principal } from './principal.ts';
import { TokenVerifier } from './token-verifier.ts';
import { importTokenKey } from './token.ts';
import type { TokenSettings } from './token.ts';

/** Says who calls, from the Authorization header. It does not look at what they ask for. */
export interface Authenticator {
  /**
   * The caller; at once where nothing has to be computed.
   *
   * @throws GatewayError unauthenticated, token_expired
   */
  authenticate(authorization: string | undefined): Principal | Promise<Principal>;
}

/**
 * Recognises callers by bearer token, or takes everyone for an admin where `authRequired` is false; the configuration
 * allows that on loopback only.
 */
export async function createAuthenticator(
  settings: TokenSettings & { readonly authRequired: boolean },
  clock: Clock,
): Promise<Authenticator> {
  if (settings.authRequired) return new TokenVerifier(await importTokenKey(settings), clock);
  const everyone = mintPrincipal('anonymous', 'admin', 'open');
  return { authenticate: () => everyone };
}
