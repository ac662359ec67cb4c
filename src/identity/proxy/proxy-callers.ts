import type { Clock } from '../../base/clock.ts';
import { makeRoom } from '../../base/make-room.ts';
import type { CertificateFacts } from '../../pki/certificate.ts';
import { parseDerCertificate } from '../../pki/parse.ts';
import { claimsIn, refuseExpired, subjectOf } from '../certificate-callers.ts';
import type { Credentials } from '../credentials.ts';
import { mintPrincipal } from '../principal.ts';
import type { Principal } from '../principal.ts';
import type { Assertion, HeaderStyle } from './assertion.ts';
import { checkName, unusable } from './forwarded-name.ts';
import { headerStyle } from './header-styles.ts';

/** Who a proxy says calls. */
export interface ProxyCaller {
  readonly principal: Principal;
  /** SHA-256 of the certificate the caller showed the proxy, lower-case hex; undefined where the proxy does not tell. */
  readonly sha256: string | undefined;
  /** Milliseconds since the Unix epoch; without a limit where the certificate is not handed on. */
  readonly notAfterMs: number;
}

const MAX_CACHED_COUNT = 1000;

/**
 * Recognises callers by what a proxy says of them. It does not look at who says it: ask only where the peer is a proxy
 * that is trusted. What was said once is remembered with its outcome, successes only.
 */
export class ProxyCallers {
  readonly #userHeader: string;
  readonly #style: HeaderStyle;
  readonly #clock: Clock;
  /** By everything the headers say, oldest first. */
  readonly #known = new Map<string, ProxyCaller>();

  /** @param userHeader PROXY_USER_HEADER */
  constructor(userHeader: string, clock: Clock) {
    this.#userHeader = userHeader;
    this.#style = headerStyle(userHeader);
    this.#clock = clock;
  }

  /**
   * The caller; undefined where the proxy says nothing of one, a promise only where a certificate has to be parsed.
   *
   * @throws GatewayError unauthenticated where what it says cannot be believed
   */
  callerOf(headers: Credentials['headers']): ProxyCaller | Promise<ProxyCaller> | undefined {
    const said = this.#style.reads.map((name) => headers.get(name) ?? undefined);
    // no value holds a line break
    const key = said.map((value) => value ?? '\n').join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) return this.#stillValid(known);
    const get = (header: string) => said[this.#style.reads.indexOf(header)];
    const assertion = this.#style.read(get);
    if (assertion === undefined) return undefined;
    const { certificate } = assertion;
    if (certificate !== undefined)
      return this.#parsed(certificate).then((facts) => this.#met(key, this.#judged(assertion, facts)));
    return this.#met(key, this.#judged(assertion, undefined));
  }

  async #parsed(der: Uint8Array): Promise<CertificateFacts> {
    const certificate = await parseDerCertificate(der).catch(() => undefined);
    if (certificate === undefined) throw unusable(this.#userHeader, 'comes with something that is no certificate');
    return certificate.facts;
  }

  #judged(assertion: Assertion, facts: CertificateFacts | undefined): ProxyCaller {
    const { subject = '', agrees = () => true, sha256 = facts?.sha256, distinguishedName, organisation } = assertion;
    if (facts !== undefined && !(agrees(facts) && sha256 === facts.sha256))
      throw unusable(this.#userHeader, 'comes with the certificate of somebody else');
    const name = subject === '' && facts !== undefined ? subjectOf(facts) : subject;
    const dn = distinguishedName ?? facts?.subject;
    const claims = organisation === undefined ? claimsIn(dn) : { organisation };
    const told = dn === undefined && sha256 === undefined ? undefined : { subject: dn, issuer: facts?.issuer, sha256 };
    const who = { subject: checkName(this.#userHeader, name), role: 'user', method: 'proxy', claims } as const;
    return {
      principal: mintPrincipal({ ...who, ...(told && { certificate: told }) }),
      sha256,
      notAfterMs: facts === undefined ? Number.POSITIVE_INFINITY : Date.parse(facts.notAfter),
    };
  }

  #met(key: string, caller: ProxyCaller): ProxyCaller {
    makeRoom(this.#known, MAX_CACHED_COUNT);
    this.#known.set(key, caller);
    return this.#stillValid(caller);
  }

  #stillValid(caller: ProxyCaller): ProxyCaller {
    refuseExpired(caller.notAfterMs, this.#clock.nowMs());
    return caller;
  }
}
