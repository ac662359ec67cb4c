import type { Certificate, CertificateFacts } from '../pki/certificate.ts';
import { daysLeft } from '../pki/expiry.ts';
import type { TlsProfile } from '../tls/profile.ts';
import { MASK } from './field-schema.ts';
import { isFile } from './gateway-record.ts';
import type { GatewayIdentity, GatewayTls, PemSource } from './gateway-record.ts';

/** A certificate's facts with the days it has left. */
export interface CertificateView extends CertificateFacts {
  /** Whole days; negative once it has expired. */
  readonly daysLeft: number;
}

/** What a profile amounts to. */
export interface ProfileView {
  readonly fingerprint: string;
  readonly clientCertificate: CertificateView | null;
  readonly authorities: readonly CertificateView[];
}

/** The TLS fields as they were written: certificates and paths in the clear, keys and passphrases masked. */
export function tlsFieldsView(tls: GatewayTls<unknown>) {
  return {
    caCertificate: shown(tls.caCertificate),
    caMode: tls.caMode ?? (tls.caCertificate === undefined ? null : 'only'),
    ...identityView(tls),
    serverName: tls.serverName ?? null,
    checkHostname: tls.checkHostname ?? true,
    verify: tls.verify ?? true,
    minTlsVersion: tls.minTlsVersion ?? 'TLSv1.2',
    crl: shown(tls.crl),
    pins: tls.pins ?? [],
    next: tls.next === undefined ? null : { caCertificate: shown(tls.next.caCertificate), ...identityView(tls.next) },
  };
}

function identityView({ clientCert, clientKey, clientKeyPassword }: GatewayIdentity<unknown>) {
  return {
    clientCert: shown(clientCert),
    clientKey: clientKey === undefined ? null : MASK,
    clientKeyPassword: clientKeyPassword === undefined ? null : MASK,
  };
}

const shown = (source: PemSource | undefined): string | null =>
  source === undefined ? null : isFile(source) ? source.file : source.pem;

/** What is in force: who we are, whom we believe, and for how long; null for an http upstream. */
export function tlsSummary(profile: TlsProfile | undefined, next: TlsProfile | undefined, nowMs: number) {
  if (profile === undefined) return null;
  return {
    ...profileView(profile, nowMs),
    trust: profile.trust.mode,
    insecure: !(profile.verify && profile.checkHostname),
    next: next === undefined ? null : profileView(next, nowMs),
  };
}

function profileView({ fingerprint, identity, trust }: TlsProfile, nowMs: number): ProfileView {
  const [leaf] = identity?.chain ?? [];
  return {
    fingerprint,
    clientCertificate: leaf === undefined ? null : certificateView(leaf.facts, nowMs),
    authorities:
      trust.mode === 'system' ? [] : trust.anchors.map(({ facts }: Certificate) => certificateView(facts, nowMs)),
  };
}

/** Facts with the days left as of `nowMs`. */
export function certificateView(facts: CertificateFacts, nowMs: number): CertificateView {
  return { ...facts, daysLeft: daysLeft(facts, nowMs) };
}
