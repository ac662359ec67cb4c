import type { Clock } from '../../base/clock.ts';
import { makeRoom } from '../../base/make-room.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { parseDerCertificate } from '../../pki/parse.ts';
import { CallerNames } from '../caller-names.ts';
import type { NamedCaller } from '../caller-names.ts';
import type { CallerRules } from '../../tls/caller-trust.ts';
import { claimsIn, refuseExpired } from '../certificate-callers.ts';
import type { Credentials } from '../credentials.ts';
import { mintPrincipal } from '../principal.ts';
import type { Principal } from '../principal.ts';
import type { Assertion, HeaderStyle } from './assertion.ts';
import { checkName, notPinned, unusable } from './forwarded-name.ts';
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
  readonly #names: CallerNames;
  /** What those that are known were held to. */
  #held: CallerRules;
  /** By everything the headers say, oldest first. */
  readonly #known = new Map<string, ProxyCaller>();

  /** @param userHeader PROXY_USER_HEADER */
  constructor(userHeader: string, clock: Clock, names: CallerNames = new CallerNames()) {
    this.#userHeader = userHeader;
    this.#style = headerStyle(userHeader);
    this.#clock = clock;
    this.#names = names;
    this.#held = names.held;
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
    this.#forgetOnceHeldToOthers();
    const known = this.#known.get(key);
    if (known !== undefined) return this.#stillValid(known);
    const get = (header: string) => said[this.#style.reads.indexOf(header)];
    const assertion = this.#style.read(get);
    if (assertion === undefined) return undefined;
    const { certificate } = assertion;
    const { held } = this.#names;
    if (certificate === undefined) {
      if (held.pins.length > 0) throw notPinned(this.#userHeader, 'comes without the certificate');
      return this.#met(key, held, this.#callerFrom(assertion, undefined));
    }
    return this.#judged(assertion, certificate, held).then((caller) => this.#met(key, held, caller));
  }

  #forgetOnceHeldToOthers(): void {
    const { held } = this.#names;
    if (held !== this.#held) this.#known.clear();
    this.#held = held;
  }

  async #judged(assertion: Assertion, der: Uint8Array, { pins }: CallerRules): Promise<ProxyCaller> {
    const certificate = await parseDerCertificate(der).catch(() => undefined);
    if (certificate === undefined) throw unusable(this.#userHeader, 'comes with something that is no certificate');
    const { facts } = certificate;
    const { agrees = () => true, sha256 = facts.sha256 } = assertion;
    if (!(agrees(facts) && sha256 === facts.sha256))
      throw unusable(this.#userHeader, 'comes with the certificate of somebody else');
    if (pins.length > 0 && !pins.includes(facts.spkiPin))
      throw notPinned(this.#userHeader, 'comes with a certificate of another key');
    return this.#callerFrom(assertion, await this.#shown(assertion, certificate));
  }

  /** Rules of the operator say more than a name the proxy chose. */
  async #shown({ subject }: Assertion, certificate: Certificate): Promise<NamedCaller> {
    if (subject === undefined || this.#names.isRuled) return this.#names.callerIn([certificate], false);
    return { name: subject, ca: await this.#names.authorityOf([certificate]), leaf: certificate.facts };
  }

  #callerFrom(assertion: Assertion, shown: NamedCaller | undefined): ProxyCaller {
    const { leaf: facts, ca, name = assertion.subject ?? '' } = shown ?? {};
    const { sha256 = facts?.sha256, distinguishedName: dn = facts?.subject, organisation } = assertion;
    const claims = organisation === undefined ? claimsIn(dn) : { organisation };
    const said = { subject: dn, issuer: facts?.issuer, sha256, ...(ca !== undefined && { ca }) };
    const certificate = dn === undefined && sha256 === undefined ? undefined : said;
    const who = { subject: checkName(this.#userHeader, name), role: 'user', method: 'proxy', claims } as const;
    return {
      principal: mintPrincipal({ ...who, ...(certificate && { certificate }) }),
      sha256,
      notAfterMs: facts === undefined ? Number.POSITIVE_INFINITY : Date.parse(facts.notAfter),
    };
  }

  /** @param held what the caller was judged by, which may have been replaced meanwhile */
  #met(key: string, held: CallerRules, caller: ProxyCaller): ProxyCaller {
    makeRoom(this.#known, MAX_CACHED_COUNT);
    if (held === this.#held) this.#known.set(key, caller);
    return this.#stillValid(caller);
  }

  #stillValid(caller: ProxyCaller): ProxyCaller {
    refuseExpired(caller.notAfterMs, this.#clock.nowMs());
    return caller;
  }
}
