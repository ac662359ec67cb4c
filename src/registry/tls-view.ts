import type { CertificateFacts } from '../pki/certificate.ts';
import { daysLeft } from '../pki/expiry.ts';
import type { TlsProfile } from '../tls/profile.ts';
import { MASK } from './field-schema.ts';
import { isFile, isUrls } from './gateway-record.ts';
import { presentedBy } from './gateway-profiles.ts';
import type { GatewayProfiles, OpenedIdentity } from './gateway-profiles.ts';
import type { GatewayIdentity, GatewayTls, NextIdentity, PemSource } from './gateway-record.ts';

/** A certificate's facts with the days it has left. */
export interface CertificateView extends CertificateFacts {
  /** Whole days; negative once it has expired. */
  readonly daysLeft: number;
}

/** One identity of a gateway; null and empty where it has nothing of its own. */
export interface OpenedIdentityView {
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
    crl: tls.crl && isUrls(tls.crl) ? tls.crl.urls.join(' ') : shown(tls.crl),
    revocation: tls.revocation ?? 'none',
    pins: tls.pins ?? [],
    next: otherView(tls.next),
    retiring: otherView(tls.retiring),
  };
}

function otherView(other: NextIdentity<unknown> | undefined) {
  return other === undefined ? null : { caCertificate: shown(other.caCertificate), ...identityView(other) };
}

function identityView({ clientCert, clientKey, clientKeyPassword, clientBinding }: GatewayIdentity<unknown>) {
  return {
    clientCert: shown(clientCert),
    clientKey: clientKey === undefined ? null : MASK,
    clientKeyPassword: clientKeyPassword === undefined ? null : MASK,
    clientBinding: clientBinding ?? null,
  };
}

const shown = (source: PemSource | undefined): string | null =>
  source === undefined ? null : isFile(source) ? source.file : source.pem;

/** What is in force: who we are, whom we believe, and for how long; null where no TLS is spoken. */
export function tlsSummary(profile: TlsProfile | undefined, profiles: GatewayProfiles | undefined, nowMs: number) {
  if (profile === undefined || profiles === undefined) return null;
  const { current, next, retiring } = profiles;
  return {
    fingerprint: profile.fingerprint,
    presenting: presentedBy(profile, profiles),
    ...openedView(current, nowMs),
    trust: profile.trust.mode,
    insecure: !(profile.verify && profile.checkHostname),
    next: next === undefined ? null : openedView(next, nowMs),
    retiring: retiring === undefined ? null : openedView(retiring, nowMs),
  };
}

function openedView({ identity, trust }: OpenedIdentity, nowMs: number): OpenedIdentityView {
  const [leaf] = identity?.chain ?? [];
  const anchors = trust === undefined || trust.mode === 'system' ? [] : trust.anchors;
  return {
    clientCertificate: leaf === undefined ? null : certificateView(leaf.facts, nowMs),
    authorities: anchors.map(({ facts }) => certificateView(facts, nowMs)),
  };
}

/** Facts with the days left as of `nowMs`. */
export function certificateView(facts: CertificateFacts, nowMs: number): CertificateView {
  return { ...facts, daysLeft: daysLeft(facts, nowMs) };
}
