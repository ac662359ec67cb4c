import { GatewayError } from '../base/errors.ts';
import type { Certificate, CertificateFacts } from '../pki/certificate.ts';
import { commonNameIn } from '../pki/names.ts';
import { anchorsAbove, namedAnchors } from '../pki/verify-chain.ts';
import type { CallerRules } from '../tls/caller-trust.ts';
import { USUAL_RULES, isAbout, nameBy, parseSubjectRule } from './subject-rules.ts';
import type { SubjectRule } from './subject-rules.ts';

/** Who a certificate says its holder is. */
export interface NamedCaller {
  readonly name: string;
  /** The authority it is under, by its common name where it has one; undefined where nobody knows. */
  readonly ca: string | undefined;
  readonly leaf: CertificateFacts;
}

const MAX_LENGTH = 1024;
const NO_RULES: CallerRules = { anchors: [], pins: [] };

/**
 * Says by which of its names a certificate names its caller. Where an authority has rules of its own, no other rule holds
 * for certificates under it: one that issues for partners mints no names of ours. Of several authorities above a
 * certificate that is the nearest with rules of its own, else the nearest.
 */
export class CallerNames {
  readonly #rules: readonly SubjectRule[];
  readonly #held: () => CallerRules;
  /** Whether the operator gave rules. */
  readonly isRuled: boolean;

  /**
   * @param rules POSTERN_CLIENT_SUBJECT; undefined for the usual ones
   * @param held what callers are held to at the moment
   */
  constructor(rules?: readonly string[], held: () => CallerRules = () => NO_RULES) {
    this.#rules = rules?.flatMap((text) => parseSubjectRule(text) ?? []) ?? USUAL_RULES;
    this.#held = held;
    this.isRuled = rules !== undefined;
  }

  /** What callers are held to at the moment; another object once it changed. */
  get held(): CallerRules {
    return this.#held();
  }

  /**
   * The caller a chain names, leaf first.
   *
   * @param isVerified whether it is known to lead to one of the authorities; else only what they signed counts
   * @throws GatewayError unauthenticated where no rule gives a name
   */
  async callerIn(chain: readonly Certificate[], isVerified: boolean): Promise<NamedCaller> {
    const [leaf] = chain;
    if (leaf === undefined) throw nameless('it is not there');
    const authorities = await this.#authoritiesOf(chain, isVerified);
    const ruling = authorities.find((one) => this.#rules.some((rule) => isAbout(rule, one)));
    const ca = nameOf(ruling ?? authorities[0]);
    const rules = ruling === undefined ? this.#rulesForAll(ca) : this.#rules.filter((rule) => isAbout(rule, ruling));
    const name = nameBy(rules, leaf.facts);
    if (name === undefined && this.isRuled)
      throw nameless(`no rule of POSTERN_CLIENT_SUBJECT finds one in it${ca === undefined ? '' : ` under ${ca}`}`);
    return { name: fitName(name), ca, leaf: leaf.facts };
  }

  /** The authority a chain is under, by its name. */
  async authorityOf(chain: readonly Certificate[]): Promise<string | undefined> {
    return nameOf((await this.#authoritiesOf(chain, false))[0]);
  }

  /** Where authorities have rules of their own, a certificate whose authority nobody knows may be under one of them. */
  #rulesForAll(ca: string | undefined): readonly SubjectRule[] {
    if (ca === undefined && this.#rules.some((rule) => rule.ca !== undefined))
      throw nameless('which of the authorities it is under cannot be told');
    return this.#rules.filter((rule) => rule.ca === undefined);
  }

  /** Nearest first. */
  async #authoritiesOf(chain: readonly Certificate[], isVerified: boolean): Promise<readonly Certificate[]> {
    const { anchors } = this.#held();
    const named = namedAnchors(chain, anchors);
    // a chain that was verified leads to one of those it names
    if (named.length === 0 || (isVerified && named.length === 1)) return named;
    return (await anchorsAbove(chain, anchors)).map(({ anchor }) => anchor);
  }
}

const nameOf = (authority: Certificate | undefined): string | undefined =>
  authority && (commonNameIn(authority.facts.subject) ?? authority.facts.subject);

/** The name a certificate has by the usual rules. @throws GatewayError unauthenticated */
export function subjectOf(facts: CertificateFacts): string {
  return fitName(nameBy(USUAL_RULES, facts));
}

/** A name that is fit to be one. @throws GatewayError unauthenticated */
export function fitName(name: string | undefined): string {
  if (name === undefined || name === '') throw nameless('it has no name');
  if (name.length > MAX_LENGTH) throw nameless(`its name is longer than ${MAX_LENGTH} characters`);
  if (/\p{Cc}/u.test(name)) throw nameless('its name holds control characters');
  return name;
}

const nameless = (why: string): GatewayError =>
  new GatewayError('unauthenticated', `the client certificate names no caller: ${why}`, {
    hint: 'issue one with a URI, DNS name or email as alternative name, or with a common name',
  });
