import { commonNameIn } from '../../pki/names.ts';
import type { HeaderStyle } from './assertion.ts';
import { certificateIn } from './forwarded-certificate.ts';
import { checkName, forwardedName, unusable } from './forwarded-name.ts';
import { checkDistinguishedName } from './forwarded-subject.ts';

/** The headers in which a program hands on parts of a certificate. */
interface PartNames {
  /** What came of verifying it: SUCCESS, NONE, or FAILED with a reason. */
  readonly verify: string;
  readonly commonName?: string;
  readonly distinguishedName: string;
  readonly certificate: string;
}

/** nginx, HAProxy and Caddy, as they are commonly set up. */
export const USUAL_PARTS = {
  verify: 'X-SSL-Client-Verify',
  commonName: 'X-SSL-Client-S-DN-CN',
  distinguishedName: 'X-SSL-Client-S-DN',
  certificate: 'X-SSL-Client-Cert',
} as const satisfies PartNames;
/** The ingress controller of Kubernetes that is nginx; it has no common name. */
export const INGRESS_PARTS = {
  verify: 'ssl-client-verify',
  distinguishedName: 'ssl-client-subject-dn',
  certificate: 'ssl-client-cert',
} as const satisfies PartNames;

/** Parts of the certificate, each in a header: they must say the same, and that it was verified. */
export function namedByParts(names: PartNames, userHeader: string): HeaderStyle {
  const { verify, commonName = '', distinguishedName, certificate } = names;
  return {
    reads: Object.values(names),
    read(get) {
      if (!isVerified(verify, get(verify), get(userHeader))) return undefined;
      const [cn, dn, cert] = [get(commonName), get(distinguishedName), get(certificate)];
      if (dn !== undefined) checkDistinguishedName(distinguishedName, dn);
      const said = [
        ...(cn === undefined ? [] : [plainCommonName(commonName, cn)]),
        ...(dn === undefined ? [] : [commonNameIn(dn) ?? '']),
      ];
      if (new Set(said).size > 1) throw unusable(commonName, `says something else than ${distinguishedName}`);
      return {
        subject: checkName(userHeader, said[0] ?? ''),
        certificate: cert === undefined ? undefined : certificateIn(certificate, cert),
        agrees: (facts) => said[0] === commonNameIn(facts.subject),
        distinguishedName: dn,
      };
    },
  };
}

/** The certificate, in a header beside what came of verifying it. */
export function namedByCertificate({ verify, certificate }: PartNames): HeaderStyle {
  return {
    reads: [verify, certificate],
    read(get) {
      const value = get(certificate);
      if (!isVerified(verify, get(verify), value)) return undefined;
      return { certificate: certificateIn(certificate, value ?? '') };
    },
  };
}

/** False where there was no certificate. @throws GatewayError unauthenticated where one was not verified */
function isVerified(header: string, outcome: string | undefined, named: string | undefined): boolean {
  if (named === undefined && (outcome === undefined || outcome === 'NONE')) return false;
  if (outcome !== 'SUCCESS') throw unusable(header, 'does not say SUCCESS');
  if (named === undefined) throw unusable(header, 'says SUCCESS, and nobody is named');
  return true;
}

/** Cut out of a distinguished name it may still be escaped, and then be taken for another. */
function plainCommonName(header: string, value: string): string {
  const name = forwardedName(header, value);
  if (!name.includes('\\')) return name;
  throw unusable(header, `holds a backslash; let ${USUAL_PARTS.certificate} say who calls`);
}
