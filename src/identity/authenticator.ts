import type { Clock } from '../base/clock.ts';
import { CertificateCallers } from './certificate-callers.ts';
import type { CertificateCaller } from './certificate-callers.ts';
import type { Credentials } from './credentials.ts';
import { mintPrincipal } from './principal.ts';
import type { Principal } from './principal.ts';
import { boundElsewhere, credentialsMissing } from './refusals.ts';
import { TokenVerifier } from './token-verifier.ts';
import type { TokenCaller } from './token-verifier.ts';
import { importTokenKey } from './token.ts';
import type { TokenSettings } from './token.ts';

/** Says who calls. It does not look at what they ask for. */
export interface Authenticator {
  /**
   * The caller; at once where nothing has to be computed.
   *
   * @throws GatewayError unauthenticated, token_expired
   */
  authenticate(credentials: Credentials): Principal | Promise<Principal>;
}

/**
 * Recognises callers by bearer token or client certificate, or takes everyone for an admin where `authRequired` is
 * false; the configuration allows that on loopback only.
 */
export async function createAuthenticator(
  settings: TokenSettings & { readonly authRequired: boolean },
  clock: Clock,
): Promise<Authenticator> {
  if (settings.authRequired) return new Callers(new TokenVerifier(await importTokenKey(settings), clock), clock);
  const everyone = mintPrincipal('anonymous', 'admin', 'open');
  return { authenticate: () => everyone };
}

/** A token says who calls where there is one, and it must be good; else the client certificate does. */
class Callers implements Authenticator {
  readonly #tokens: TokenVerifier;
  readonly #certificates: CertificateCallers;

  constructor(tokens: TokenVerifier, clock: Clock) {
    this.#tokens = tokens;
    this.#certificates = new CertificateCallers(clock);
  }

  authenticate({ authorization, connection }: Credentials): Principal | Promise<Principal> {
    if (authorization === undefined || authorization === '') {
      if (connection === undefined) throw credentialsMissing();
      const caller = this.#certificates.callerOf(connection);
      return caller instanceof Promise ? caller.then(principalOf) : caller.principal;
    }
    const caller = this.#tokens.callerOf(authorization);
    if (!(caller instanceof Promise) && caller.boundTo === undefined) return caller.principal;
    return this.#held(caller, connection);
  }

  /** A bound token is worth nothing without its certificate. @see https://www.rfc-editor.org/rfc/rfc8705#section-3 */
  async #held(pending: TokenCaller | Promise<TokenCaller>, connection: Credentials['connection']): Promise<Principal> {
    const { principal, boundTo } = await pending;
    if (boundTo === undefined) return principal;
    const shown = connection && (await this.#certificates.callerOf(connection)).sha256;
    if (shown !== boundTo) throw boundElsewhere();
    return principal;
  }
}

const principalOf = ({ principal }: CertificateCaller): Principal => principal;
