import { fromBase64, toBase64 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { canonicalPin } from '../base/pin.ts';
import { checkAnchor } from '../pki/checks.ts';
import { checkCrlIssuer, parseCrls } from '../pki/crl.ts';
import { parseCertificates } from '../pki/parse.ts';
import type { DialerCapabilities } from './dialer.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { KeyOpener } from './key-opener.ts';
import { openIdentity } from './open-identity.ts';
import type { TlsMaterial, TlsProfile, TlsVersion, TrustBundle } from './profile.ts';
import { unionOfTrust } from './trust-union.ts';

export interface OpenProfileOptions {
  readonly openKey: KeyOpener;
  /** Milliseconds since the Unix epoch: when the profile is to be used, which certificates have to be valid at. */
  readonly nowMs: number;
  /** What the dialer that will use the profile can honour. */
  readonly capabilities: DialerCapabilities;
  /** The platform's own identities; absent where it has none. */
  readonly bindings?: ReadonlySet<string> | undefined;
  /** Whether `verify: false` and `checkHostname: false` are consented to (POSTERN_ALLOW_INSECURE_TLS). */
  readonly allowInsecureTls: boolean;
  /** Whom to believe beside those the material names, while a server moves from one authority to another. */
  readonly alsoTrusted?: readonly TrustBundle[];
}

/**
 * Turns what an operator gave into a profile, refusing everything that can be known to be wrong before a handshake.
 * Says nothing about whether the server will accept our certificate, or we its.
 *
 * @throws GatewayError capability_unsupported, insecure_tls_refused, config_invalid, certificate_unreadable,
 *   certificate_missing, certificate_expired, certificate_not_yet_valid, certificate_wrong_purpose, chain_broken,
 *   key_missing, key_unreadable, key_passphrase_wrong, key_mismatch, binding_not_found, ca_unreadable, ca_not_a_ca,
 *   ca_expired, crl_unreadable, pin_invalid
 */
export async function openProfile(material: TlsMaterial, options: OpenProfileOptions): Promise<TlsProfile> {
  const { nowMs, alsoTrusted = [] } = options;
  const { verify = true, checkHostname = true } = material;
  requireCapabilities(material, options.capabilities);
  const trust = unionOfTrust(await openTrust(material, nowMs), ...alsoTrusted);
  requireTrust(trust, options.capabilities);
  if (!options.allowInsecureTls) refuseInsecure(verify, checkHostname);
  const parts = {
    identity: await openIdentity(material, options, nowMs),
    trust,
    serverName: material.serverName === undefined ? undefined : parseServerName(material.serverName),
    checkHostname,
    verify,
    minVersion: parseVersion(material.minVersion ?? 'TLSv1.2'),
    crls: material.crl === undefined ? [] : await openCrls(material.crl, trust),
    ...(material.revocation === 'ocsp' && { ocsp: true }),
    pins: Object.freeze((material.pins ?? []).map(parsePin)),
  };
  return Object.freeze({ fingerprint: fingerprintOf(parts), ...parts });
}

type Need = readonly [field: string, capability: keyof DialerCapabilities, isNeeded: boolean];

/**
 * Refuses what the dialer cannot honour, before anything of it is read.
 *
 * @throws GatewayError capability_unsupported
 */
export function requireCapabilities(material: TlsMaterial, capabilities: DialerCapabilities): void {
  const { caCertificate, caMode = 'only' } = material;
  requireEach(capabilities, [
    ['ca_certificate', 'caOnly', caCertificate !== undefined && caMode === 'only'],
    ['ca_mode add', 'caAdd', caCertificate !== undefined && caMode === 'add'],
    ['client_cert', 'clientCertificate', material.clientCertificate !== undefined || material.clientKey !== undefined],
    ['client_cert', 'dynamicIdentity', material.clientCertificate !== undefined || material.clientKey !== undefined],
    ['client_binding', 'binding', material.clientBinding !== undefined],
    ['client_key_password', 'encryptedKey', material.clientKeyPassword !== undefined],
    ['server_name', 'serverName', material.serverName !== undefined],
    ['check_hostname false', 'skipHostname', material.checkHostname === false],
    ['verify false', 'skipVerify', material.verify === false],
    ['min_tls_version TLSv1.3', 'minVersion', material.minVersion === 'TLSv1.3'],
    ['crl', 'crl', material.crl !== undefined],
    ['revocation ocsp', 'ocsp', material.revocation === 'ocsp'],
    ['pins', 'pins', (material.pins ?? []).length > 0],
  ]);
}

/** Whom several identities believe together may take more than each of them. */
function requireTrust({ mode }: TrustBundle, capabilities: DialerCapabilities): void {
  requireEach(capabilities, [
    ['ca_certificate', 'caOnly', mode === 'only'],
    ['ca_mode add', 'caAdd', mode === 'add'],
  ]);
}

function requireEach(capabilities: DialerCapabilities, needs: readonly Need[]): void {
  const missing = needs.filter(([, capability, isNeeded]) => isNeeded && capabilities[capability] !== true);
  if (missing.length === 0) return;
  const names = missing.map(([field, capability]) => `${field} (${capability})`).join(', ');
  throw new GatewayError('capability_unsupported', `the dialer of this platform cannot honour ${names}`, {
    hint: 'run the gateway on a platform that can, or leave the setting out',
    details: { capabilities: missing.map(([, capability]) => capability) },
  });
}

function refuseInsecure(verify: boolean, checkHostname: boolean): void {
  if (verify && checkHostname) return;
  const what = verify ? 'check_hostname false' : 'verify false';
  throw new GatewayError('insecure_tls_refused', `${what} is not allowed by this gateway`, {
    hint: 'give ca_certificate or server_name instead; POSTERN_ALLOW_INSECURE_TLS=true consents for the whole gateway',
  });
}

async function openTrust({ caCertificate, caMode }: TlsMaterial, nowMs: number): Promise<TrustBundle> {
  if (caMode !== undefined && caMode !== 'only' && caMode !== 'add')
    throw new GatewayError('config_invalid', `expected ca_mode only or add, met ${String(caMode)}`);
  if (caCertificate === undefined) {
    if (caMode === undefined) return Object.freeze({ mode: 'system' });
    throw new GatewayError('config_invalid', `ca_mode ${caMode} is given without ca_certificate`);
  }
  const anchors = await parseCertificates(caCertificate, 'ca_unreadable');
  for (const anchor of anchors) checkAnchor(anchor, nowMs);
  return Object.freeze({ mode: caMode ?? 'only', anchors: Object.freeze(anchors) });
}

async function openCrls(pem: string, trust: TrustBundle): Promise<readonly string[]> {
  const crls = await parseCrls(pem);
  if (trust.mode !== 'system') for (const crl of crls) await checkCrlIssuer(crl, trust.anchors);
  return Object.freeze(crls);
}

function parseServerName(name: string): string {
  // A URL's host is what a certificate can name: letters, digits and dashes, an address, punycode for the rest.
  const url = URL.canParse(`https://${name}/`) ? new URL(`https://${name}/`) : undefined;
  if (name !== '' && url?.host === name.toLowerCase() && url.href === `https://${url.host}/`) return url.hostname;
  throw new GatewayError('config_invalid', 'expected server_name to be a host name without port or path', {
    hint: 'give the name as the server certificate carries it',
  });
}

function parseVersion(version: string): TlsVersion {
  if (version === 'TLSv1.2' || version === 'TLSv1.3') return version;
  throw new GatewayError('config_invalid', `expected min_tls_version TLSv1.2 or TLSv1.3, met ${version}`);
}

function parsePin(pin: string): string {
  const base64 = canonicalPin(pin);
  if (base64 !== undefined && toBase64(fromBase64(base64)) === base64) return base64;
  throw new GatewayError('pin_invalid', 'expected a pin to be base64 of the 32 bytes of a SHA-256', {
    hint: 'the check report of the upstream shows the pin of every certificate in its chain as spkiPin',
  });
}
