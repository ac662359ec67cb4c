import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { attributeIn, commonNameIn } from '../pki/names.ts';
import { readable } from '../tls/withdrawal.ts';
import { CallerNames, fitName } from './caller-names.ts';
import type { NamedCaller } from './caller-names.ts';
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

/** Recognises callers by the client certificate the listener verified; each connection is looked at once. */
export class CertificateCallers {
  readonly #clock: Clock;
  readonly #names: CallerNames;
  readonly #known = new WeakMap<CallerConnection, CertificateCaller>();

  constructor(clock: Clock, names: CallerNames = new CallerNames()) {
    this.#clock = clock;
    this.#names = names;
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
    const { name, ca, subject, issuer, sha256, notAfterMs } = await shownOn(connection, this.#names);
    const certificate = { subject, issuer, sha256, ...(ca !== undefined && { ca }) };
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

async function shownOn(
  { chain, verified }: CallerConnection,
  names: CallerNames,
): Promise<VerifiedCertificate & Omit<NamedCaller, 'leaf'>> {
  if (verified) return { ...verified, name: fitName(commonNameIn(verified.subject)), ca: undefined };
  const presented = await readable(chain);
  const { leaf, ...named } = await names.callerIn(presented, true);
  const { subject, issuer, sha256, notAfter } = leaf;
  return { ...named, subject, issuer, sha256, notAfterMs: Date.parse(notAfter) };
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
