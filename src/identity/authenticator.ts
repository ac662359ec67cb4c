import type { Clock } from '../base/clock.ts';
import { isInNetwork } from '../base/networks.ts';
import type { CallerRules } from '../tls/caller-trust.ts';
import { BasicOperator } from './basic.ts';
import type { BasicSettings } from './basic.ts';
import { CallerNames } from './caller-names.ts';
import { CertificateCallers } from './certificate-callers.ts';
import { showsCertificate } from './credentials.ts';
import type { CallerConnection, Credentials } from './credentials.ts';
import { mintPrincipal } from './principal.ts';
import type { Principal } from './principal.ts';
import { ProxyCallers } from './proxy/proxy-callers.ts';
import { LOOPBACK_NETWORKS, TrustedProxies } from './proxy/trusted-proxies.ts';
import { isConditional } from './recognised-token.ts';
import type { TokenCaller } from './recognised-token.ts';
import { boundElsewhere, credentialsMissing, meantForAnother, sentFromElsewhere, tokensRefused } from './refusals.ts';
import { TokenVerifier } from './token-verifier.ts';
import type { TokenSources } from './token-verifier.ts';
import { openTokenKeys } from './token.ts';
import type { TokenKey, TokenSettings } from './token.ts';

/**
 * Who may be recognised by what. The switches together, as a move from tokens to certificates goes through them:
 *
 * | phase | clientAuthEnabled | trustProxyAuth | a token for MCP | what a proxy says | a certificate shown to us |
 * | --- | --- | --- | --- | --- | --- |
 * | 1, tokens | true | false | names the caller | stripped | names the caller without a token |
 * | 2 and 3, both | true | true | names the caller | names the caller without a token | the same, but for proxies' own |
 * | 4, certificates | false | true | refused | names the caller | the same, but for proxies' own |
 * | without a proxy | false | false | refused | stripped | names the caller |
 *
 * A token that is not good is refused in every one of them, whatever comes with it. Administration and metrics take
 * tokens in every one of them, and name and password where they are set. Without `authRequired` everyone is an admin, and nothing of this is looked at.
 */
export interface CallerSettings extends TokenSettings, BasicSettings {
  readonly authRequired: boolean;
  /** MCP_CLIENT_AUTH_ENABLED */
  readonly clientAuthEnabled: boolean;
  /** TRUST_PROXY_AUTH */
  readonly trustProxyAuth: boolean;
  /** PROXY_USER_HEADER */
  readonly proxyUserHeader: string;
  /** POSTERN_TRUSTED_PROXIES; undefined for those on this machine. */
  readonly trustedProxies: readonly string[] | undefined;
  /** POSTERN_CLIENT_SUBJECT; undefined for the usual names. */
  readonly clientSubject: readonly string[] | undefined;
}

/** What recognising callers stands on, beside settings. */
export interface CallerServices extends TokenSources {
  /** Keys of tokens of this gateway, where they were read already; default is to read them from settings. */
  readonly keys?: readonly TokenKey[];
  /** The resource a URL leads to, as tokens name it; undefined for what is none. */
  readonly resourceOf?: (url: string) => string | undefined;
  /** What certificates of callers are held to at the moment; absent where nobody says. */
  readonly heldTo?: (() => CallerRules) | undefined;
}

/** Says who calls. It does not look at what they ask for. */
export interface Authenticator {
  /**
   * The caller of MCP; at once where nothing has to be computed.
   *
   * @throws GatewayError unauthenticated, token_expired, issuer_unavailable, store_unavailable
   */
  authenticate(credentials: Credentials): Principal | Promise<Principal>;
  /**
   * The same for administration and metrics.
   *
   * @throws GatewayError unauthenticated, token_expired, issuer_unavailable, store_unavailable
   */
  authenticateOperator(credentials: Credentials): Principal | Promise<Principal>;
  /** Whether a peer is believed what it says of others: who they are, and where. Never throws or rejects. */
  believes(connection: CallerConnection | undefined): boolean | Promise<boolean>;
  /**
   * Whether the caller showed a certificate, itself or to a trusted proxy, be it beside a token.
   *
   * @throws GatewayError unauthenticated where it is not good
   */
  certifies(credentials: Credentials): boolean | Promise<boolean>;
  /** Believes tokens signed with these keys from now on, and no others of this gateway. */
  useKeys(keys: readonly TokenKey[]): void;
}

/**
 * Recognises callers by bearer token, client certificate or what a trusted proxy says, or takes everyone for an admin
 * where `authRequired` is false; the configuration allows that on loopback only.
 */
export async function createAuthenticator(
  settings: CallerSettings,
  clock: Clock,
  services: CallerServices = {},
): Promise<Authenticator> {
  if (settings.authRequired) {
    const keys = services.keys ?? (await openTokenKeys(settings)).verifying;
    return new Callers(new TokenVerifier(keys, clock, services), settings, clock, services);
  }
  const everyone = mintPrincipal({ subject: 'anonymous', role: 'admin', method: 'open' });
  return {
    authenticate: () => everyone,
    authenticateOperator: () => everyone,
    believes: () => false,
    certifies: ({ connection }) => connection !== undefined && showsCertificate(connection),
    useKeys: () => undefined,
  };
}

/** Who is known without a token. */
interface Shown {
  readonly principal: Principal;
  /** Of the certificate; undefined where a proxy did not hand it on. */
  readonly sha256: string | undefined;
}

/** A token says who calls where there is one, and it must be good; else a certificate does, or the proxy that saw it. */
class Callers implements Authenticator {
  readonly #tokens: TokenVerifier;
  readonly #certificates: CertificateCallers;
  readonly #proxies: TrustedProxies;
  readonly #behindProxies: ProxyCallers | undefined;
  readonly #takesTokens: boolean;
  readonly #basic: BasicOperator;
  readonly #resourceOf: NonNullable<CallerServices['resourceOf']>;

  constructor(tokens: TokenVerifier, settings: CallerSettings, clock: Clock, services: CallerServices) {
    const { clientAuthEnabled, trustProxyAuth, proxyUserHeader, trustedProxies } = settings;
    const names = new CallerNames(settings.clientSubject, services.heldTo);
    this.#tokens = tokens;
    this.#takesTokens = clientAuthEnabled;
    this.#basic = new BasicOperator(settings);
    this.#resourceOf = services.resourceOf ?? (() => undefined);
    this.#certificates = new CertificateCallers(clock, names);
    const listed = trustedProxies ?? (trustProxyAuth ? LOOPBACK_NETWORKS : []);
    this.#proxies = new TrustedProxies(listed, this.#certificates);
    this.#behindProxies = trustProxyAuth ? new ProxyCallers(proxyUserHeader, clock, names) : undefined;
  }

  authenticate(credentials: Credentials): Principal | Promise<Principal> {
    // what is sent is meant to count, so it is not passed over for another credential
    if (!this.#takesTokens && authorizationOf(credentials) !== undefined) throw tokensRefused();
    return this.#recognise(credentials);
  }

  authenticateOperator(credentials: Credentials): Principal | Promise<Principal> {
    const authorization = authorizationOf(credentials);
    const isBasic = authorization !== undefined && this.#basic.takes(authorization);
    return isBasic ? this.#basic.callerOf(authorization) : this.#recognise(credentials);
  }

  useKeys(keys: readonly TokenKey[]): void {
    this.#tokens.use(keys);
  }

  #recognise(credentials: Credentials): Principal | Promise<Principal> {
    const authorization = authorizationOf(credentials);
    if (authorization === undefined) {
      const shown = this.#shown(credentials);
      return shown instanceof Promise ? shown.then(principalOf) : principalOf(shown);
    }
    const caller = this.#tokens.callerOf(authorization);
    if (!(caller instanceof Promise) && !isConditional(caller)) return caller.principal;
    return this.#held(caller, credentials);
  }

  believes(connection: CallerConnection | undefined): boolean | Promise<boolean> {
    return this.#behindProxies !== undefined && connection !== undefined && this.#proxies.has(connection);
  }

  certifies(credentials: Credentials): boolean | Promise<boolean> {
    const shown = this.#shown(credentials);
    return shown instanceof Promise ? shown.then((one) => one !== undefined) : shown !== undefined;
  }

  /** A token is worth nothing where its conditions are not met; a bound one, without its certificate. @see https://www.rfc-editor.org/rfc/rfc8705#section-3 */
  async #held(pending: TokenCaller | Promise<TokenCaller>, credentials: Credentials): Promise<Principal> {
    const { principal, boundTo, resources, networks } = await pending;
    // the connection's own address: what a proxy says of others is not looked at
    const address = credentials.connection?.address;
    if (networks && !(address !== undefined && networks.some((network) => isInNetwork(address, network))))
      throw sentFromElsewhere();
    const resource = resources && credentials.target && this.#resourceOf(credentials.target.url);
    if (resources && !(resource !== undefined && resources.includes(resource))) throw meantForAnother();
    if (boundTo === undefined) return principal;
    const shown = await this.#shown(credentials);
    if (shown?.sha256 !== boundTo) throw boundElsewhere();
    return principal;
  }

  #shown({ headers, connection }: Credentials): Shown | undefined | Promise<Shown | undefined> {
    if (connection === undefined) return undefined;
    const shownTo = (isProxy: boolean): Shown | undefined | Promise<Shown | undefined> => {
      // a proxy's own certificate says nothing of who is behind it
      if (isProxy) return this.#behindProxies?.callerOf(headers);
      return showsCertificate(connection) ? this.#certificates.callerOf(connection) : undefined;
    };
    const isProxy = this.#proxies.has(connection);
    return isProxy instanceof Promise ? isProxy.then(shownTo) : shownTo(isProxy);
  }
}

/** Undefined where it is empty, too. */
const authorizationOf = ({ headers }: Credentials): string | undefined => headers.get('authorization') || undefined;

function principalOf(shown: Shown | undefined): Principal {
  if (shown === undefined) throw credentialsMissing();
  return shown.principal;
}
