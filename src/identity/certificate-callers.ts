import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { CertificateFacts } from '../pki/certificate.ts';
import { attributeIn, commonNameIn } from '../pki/names.ts';
import { parseDerCertificate } from '../pki/parse.ts';
import type { CallerConnection, VerifiedCertificate } from './credentials.ts';
import { mintPrincipal } from './principal.ts';
import type { Claims, Principal } from './principal.ts';

/** Who showed a certificate, and until when it says so, in milliseconds since the Unix epoch. */
export interface CertificateCaller {
  readonly principal: Principal;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
  readonly notAfterMs: number;
}

const MAX_SUBJECT_LENGTH = 1024;

/** Recognises callers by the client certificate the listener verified; each connection is looked at once. */
export class CertificateCallers {
  readonly #clock: Clock;
  readonly #known = new WeakMap<CallerConnection, CertificateCaller>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The caller; a promise only for the first request of a connection.
   *
   * @throws GatewayError unauthenticated where the certificate has expired, or names nobody
   */
  callerOf(connection: CallerConnection): CertificateCaller | Promise<CertificateCaller> {
    const known = this.#known.get(connection);
    return known === undefined ? this.#meet(connection) : this.#stillValid(known);
  }

  async #meet(connection: CallerConnection): Promise<CertificateCaller> {
    const { name, subject, issuer, sha256, notAfterMs } = await shownOn(connection);
    const certificate = { subject, issuer, sha256 };
    const claims = claimsIn(subject);
    const principal = mintPrincipal({ subject: name, role: 'user', method: 'certificate', certificate, claims });
    const caller = { principal, sha256, notAfterMs };
    this.#known.set(connection, caller);
    return this.#stillValid(caller);
  }

  /** A connection may outlive its certificate. */
  #stillValid(caller: CertificateCaller): CertificateCaller {
    refuseExpired(caller.notAfterMs, this.#clock.nowMs());
    return caller;
  }
}

async function shownOn({
  chain,
  verified,
}: CallerConnection): Promise<VerifiedCertificate & { readonly name: string }> {
  if (verified) return { ...verified, name: fitName(commonNameIn(verified.subject)) };
  const [leaf] = chain;
  if (leaf === undefined) throw nameless('it is not there');
  const { facts } = await parseDerCertificate(leaf);
  const { subject, issuer, sha256, notAfter } = facts;
  return { name: subjectOf(facts), subject, issuer, sha256, notAfterMs: Date.parse(notAfter) };
}

/** @throws GatewayError unauthenticated */
export function refuseExpired(notAfterMs: number, nowMs: number): void {
  if (nowMs <= notAfterMs) return;
  throw new GatewayError('unauthenticated', 'the client certificate of the caller has expired', {
    hint: 'connect again with a newer one',
  });
}

/** What a distinguished name says beside the name; nothing that is not fit to be shown. */
export function claimsIn(distinguishedName: string | undefined): Claims {
  const organisation = attributeIn(distinguishedName ?? '', 'O') ?? '';
  return organisation === '' || /\p{Cc}/u.test(organisation) ? {} : { organisation };
}

/**
 * The first URI (as SPIFFE has it), DNS name or email among the alternative names, else the common name.
 *
 * @throws GatewayError unauthenticated
 * @see https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
 */
export function subjectOf({ uris, dnsNames, emails, subject }: CertificateFacts): string {
  return fitName(uris[0] ?? dnsNames[0] ?? emails[0] ?? commonNameIn(subject));
}

function fitName(name: string | undefined): string {
  if (name === undefined || name === '') throw nameless('it has no name');
  if (name.length > MAX_SUBJECT_LENGTH) throw nameless(`its name is longer than ${MAX_SUBJECT_LENGTH} characters`);
  if (/\p{Cc}/u.test(name)) throw nameless('its name holds control characters');
  return name;
}

const nameless = (why: string): GatewayError =>
  new GatewayError('unauthenticated', `the client certificate names no caller: ${why}`, {
    hint: 'issue one with a URI, DNS name or email as alternative name, or with a common name',
  });
