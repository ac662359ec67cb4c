import type { CertificateFacts } from '../../pki/certificate.ts';
import { commonNameIn } from '../../pki/names.ts';
import type { HeaderStyle } from './assertion.ts';
import { INGRESS_PARTS, USUAL_PARTS, namedByCertificate, namedByParts } from './certificate-parts.ts';
import { certificateIn, certificateInByteSequence } from './forwarded-certificate.ts';
import { checkName, checkText, forwardedName, unusable } from './forwarded-name.ts';
import { checkDistinguishedName } from './forwarded-subject.ts';
import { parseXfcc } from './xfcc.ts';

const XFCC = 'X-Forwarded-Client-Cert';
const CLIENT_CERT = 'Client-Cert';
const ORGANISATION = 'X-User-Organization';

const commonNameOf = ({ subject }: CertificateFacts): string | undefined => commonNameIn(subject);

/** Envoy and Istio. Of several hops the last is ours: the client of the proxy that sent the request. */
const XFCC_STYLE: HeaderStyle = {
  reads: [XFCC],
  read(get) {
    const value = get(XFCC);
    if (value === undefined) return undefined;
    checkText(XFCC, value);
    const element = parseXfcc(value)?.at(-1);
    if (element === undefined) throw unusable(XFCC, 'is not written as it should be');
    const { uris, dnsNames, subject: dn, hash, cert } = element;
    const certificate = cert === undefined ? undefined : certificateIn(XFCC, cert);
    const distinguishedName = dn === '' ? undefined : dn;
    if (distinguishedName !== undefined) checkDistinguishedName(XFCC, distinguishedName);
    const commonName = commonNameIn(distinguishedName ?? '');
    const [name, nameOf] =
      uris.length > 0
        ? [uris[0], (facts: CertificateFacts) => facts.uris[0]]
        : dnsNames.length > 0
          ? [dnsNames[0], (facts: CertificateFacts) => facts.dnsNames[0]]
          : [commonName, commonNameOf];
    const more = { certificate, distinguishedName, sha256: hash };
    if (name !== undefined)
      return { ...more, subject: checkName(XFCC, name), agrees: (facts) => nameOf(facts) === name };
    if (certificate === undefined) throw unusable(XFCC, 'names nobody');
    return more;
  },
};

/** The certificate itself. @see https://www.rfc-editor.org/rfc/rfc9440 */
const CLIENT_CERT_STYLE: HeaderStyle = {
  reads: [CLIENT_CERT],
  read(get) {
    const value = get(CLIENT_CERT);
    return value === undefined ? undefined : { certificate: certificateInByteSequence(CLIENT_CERT, value) };
  },
};

/** A name, and nothing but what the proxy stands for; where it says how verifying went, that must be well. */
function plainStyle(userHeader: string): HeaderStyle {
  return {
    reads: [userHeader, USUAL_PARTS.verify, ORGANISATION],
    read(get) {
      const value = get(userHeader);
      if (value === undefined) return undefined;
      if ((get(USUAL_PARTS.verify) ?? 'SUCCESS') !== 'SUCCESS')
        throw unusable(USUAL_PARTS.verify, 'does not say SUCCESS');
      const organisation = get(ORGANISATION);
      return {
        subject: forwardedName(userHeader, value),
        organisation: organisation === undefined ? undefined : forwardedName(ORGANISATION, organisation),
      };
    },
  };
}

/** The headers that follow rules of their own; every other is a plain name. */
const STYLES = new Map<string, HeaderStyle>(
  [
    [USUAL_PARTS.commonName, namedByParts(USUAL_PARTS, USUAL_PARTS.commonName)] as const,
    [USUAL_PARTS.distinguishedName, namedByParts(USUAL_PARTS, USUAL_PARTS.distinguishedName)] as const,
    [USUAL_PARTS.certificate, namedByCertificate(USUAL_PARTS)] as const,
    [INGRESS_PARTS.distinguishedName, namedByParts(INGRESS_PARTS, INGRESS_PARTS.distinguishedName)] as const,
    [INGRESS_PARTS.certificate, namedByCertificate(INGRESS_PARTS)] as const,
    [XFCC, XFCC_STYLE] as const,
    [CLIENT_CERT, CLIENT_CERT_STYLE] as const,
  ].map(([name, style]) => [name.toLowerCase(), style]),
);

/** What PROXY_USER_HEADER asks for. */
export function headerStyle(userHeader: string): HeaderStyle {
  return STYLES.get(userHeader.toLowerCase()) ?? plainStyle(userHeader);
}
